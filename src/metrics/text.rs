//! One family of series as text, version 0.0.4, with numbers as the reference writes them.

use std::fmt::Write;

use prometheus::proto::{LabelPair, MetricFamily, MetricType};

/// Appends the family, its head even if it has no series yet.
pub(super) fn write(family: &MetricFamily, page: &mut String) {
    let name = family.name();
    let kind = match family.get_field_type() {
        MetricType::COUNTER => "counter",
        MetricType::GAUGE => "gauge",
        MetricType::HISTOGRAM => "histogram",
        _ => "untyped",
    };
    line(page, format_args!("# HELP {name} {}\n# TYPE {name} {kind}", escape(family.help(), false)));
    for metric in family.get_metric() {
        let labels = metric.get_label();
        match family.get_field_type() {
            MetricType::COUNTER => sample(page, name, "", labels, None, metric.get_counter().get_value()),
            MetricType::HISTOGRAM => {
                let histogram = metric.get_histogram();
                let count = wide(histogram.get_sample_count());
                for bucket in histogram.get_bucket() {
                    let bound = Some(bucket.upper_bound());
                    sample(page, name, "_bucket", labels, bound, wide(bucket.cumulative_count()));
                }
                sample(page, name, "_bucket", labels, Some(f64::INFINITY), count);
                sample(page, name, "_count", labels, None, count);
                sample(page, name, "_sum", labels, None, histogram.get_sample_sum());
            }
            _ => sample(page, name, "", labels, None, metric.get_gauge().get_value()),
        }
    }
}

/// A count as the number that the format has.
fn wide(count: u64) -> f64 {
    // beyond 2^53 a count is not exact any more, nor would Prometheus keep it
    u32::try_from(count).map_or_else(|_| count.to_string().parse().unwrap_or(f64::MAX), f64::from)
}

fn sample(page: &mut String, name: &str, suffix: &str, labels: &[LabelPair], bound: Option<f64>, value: f64) {
    let mut pairs: Vec<(&str, String)> =
        labels.iter().map(|pair| (pair.name(), escape(pair.value(), true))).collect();
    pairs.extend(bound.map(|bound| ("le", number(bound))));
    pairs.sort_by_key(|(name, _)| *name);
    page.push_str(name);
    page.push_str(suffix);
    for (index, (name, value)) in pairs.iter().enumerate() {
        // writing to a String cannot fail
        let _ = write!(page, "{}{name}=\"{value}\"", if index == 0 { '{' } else { ',' });
    }
    line(page, format_args!("{} {}", if pairs.is_empty() { "" } else { "}" }, number(value)));
}

fn line(page: &mut String, line: std::fmt::Arguments<'_>) {
    // writing to a String cannot fail
    let _ = writeln!(page, "{line}");
}

/// `1.0`, `0.005`, `+Inf`.
fn number(value: f64) -> String {
    if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        format!("{value:?}")
    }
}

fn escape(text: &str, quoted: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    if quoted { text.replace('"', "\\\"") } else { text }
}
