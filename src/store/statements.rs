//! `database.log_statements`: what is asked of the database, for the log. The values in it stay out: they are names,
//! hashes of tokens and what people wrote.

use std::time::Instant;

use diesel::Connection;
use diesel::connection::InstrumentationEvent;
use log::info;

use super::{Db, StoreConfig};

/// What diesel puts between a statement and its values.
const VALUES: &str = " -- binds:";

/// Logs every statement of this connection, if the configuration wants it.
pub(super) fn log_if_wanted(db: &mut Db, config: &StoreConfig) {
    if !config.log_statements {
        return;
    }
    let mut begun = None;
    db.set_instrumentation(move |event: InstrumentationEvent<'_>| match event {
        InstrumentationEvent::StartQuery { .. } => begun = Some(Instant::now()),
        InstrumentationEvent::FinishQuery { query, error, .. } => {
            let took = begun.take().map_or(0, |begun: Instant| begun.elapsed().as_micros());
            info!(statement = without_values(&query.to_string()), microseconds = took, failed = error.is_some(); "statement");
        }
        _ => {}
    });
}

fn without_values(query: &str) -> &str {
    query.split_once(VALUES).map_or(query, |(statement, _)| statement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_statement_are_left_out() {
        let query = "SELECT name FROM users WHERE hashed = ? -- binds: [\"s3cret -- binds: x\"]";
        assert_eq!(without_values(query), "SELECT name FROM users WHERE hashed = ?");
        assert_eq!(without_values("COMMIT"), "COMMIT");
    }
}
