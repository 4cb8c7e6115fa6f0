//! Pure rules: values in, decisions out. No I/O, no clock (time is an argument), no framework.

pub mod access;
pub mod admission;
pub mod allow;
pub mod hexadecimal;
pub mod ids;
pub mod login_cookie;
pub mod names;
pub mod network;
pub mod next_url;
pub mod oauth;
pub mod role;
pub mod route_check;
pub mod route_spec;
pub mod scope;
pub mod server_state;
pub mod service_env;
pub mod service_name;
pub mod service_state;
pub mod signed_value;
pub mod slug;
pub mod spawn_env;
pub mod template;
pub mod timestamp;
pub mod token_hash;
pub mod user_options;
pub mod xsrf;
