//! How names and labels look, and which buckets there are: from the environment, as in the reference.

use super::buckets;

/// The default of `JUPYTERHUB_METRICS_PREFIX`.
const PREFIX: &str = "jupyterhub";
/// The variable that renames everything.
pub(super) const PREFIX_VARIABLE: &str = "JUPYTERHUB_METRICS_PREFIX";
pub(super) const SPAWN_BUCKETS_VARIABLE: &str = "JUPYTERHUB_SERVER_SPAWN_DURATION_SECONDS_BUCKETS";
pub(super) const STOP_BUCKETS_VARIABLE: &str = "JUPYTERHUB_SERVER_STOP_DURATION_SECONDS_BUCKETS";

/// Why the numbers cannot be set up as asked.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {reason}")]
pub struct MetricsError {
    /// The environment variable at fault.
    pub variable: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// How names and labels look.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(super) prefix: String,
    pub(super) spawn_buckets: Vec<f64>,
    pub(super) stop_buckets: Vec<f64>,
    pub(super) labels: Labels,
}

/// How the values of two labels are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labels {
    /// As JupyterHub does by mistake and dashboards expect: `LoginStatus.success`.
    Compatible,
    /// As plain words.
    Plain,
}

impl Settings {
    /// What the variables of the environment say.
    ///
    /// # Errors
    /// If buckets are no ascending numbers, or the prefix cannot begin a name.
    pub fn new(labels: Labels, variable: impl Fn(&str) -> Option<String>) -> Result<Self, MetricsError> {
        let prefix = variable(PREFIX_VARIABLE).unwrap_or_else(|| PREFIX.to_owned());
        let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
        let goes_on = |c: char| starts(c) || c.is_ascii_digit();
        if !prefix.chars().all(goes_on) || prefix.chars().next().is_some_and(|first| !starts(first)) {
            let reason = format!("{prefix:?} cannot begin a metric's name; use letters, digits and _");
            return Err(MetricsError { variable: PREFIX_VARIABLE, reason });
        }
        let buckets = |name: &'static str, default: &[f64]| match variable(name) {
            Some(text) => buckets::parse(&text).map_err(|reason| MetricsError { variable: name, reason }),
            None => Ok(default.to_vec()),
        };
        Ok(Self {
            prefix,
            spawn_buckets: buckets(SPAWN_BUCKETS_VARIABLE, &buckets::SPAWN)?,
            stop_buckets: buckets(STOP_BUCKETS_VARIABLE, &buckets::STANDARD)?,
            labels,
        })
    }
}
