//! Pure rules: values in, decisions out. No I/O, no clock (time is an argument), no framework.

pub mod ids;
pub mod names;
pub mod server_state;
