//! Reading one option, and saying it.

use serde_json::Value;

use super::{Kind, ProfileOption};

/// The only element of a list of one: forms and links have such lists.
pub(super) fn single(value: &Value) -> &Value {
    match value {
        Value::Array(list) => match list.as_slice() {
            [only] => only,
            _ => value,
        },
        other => other,
    }
}

impl ProfileOption {
    /// The value unless somebody chooses another one.
    #[must_use]
    pub fn default(&self) -> Value {
        match &self.kind {
            Kind::Choice { default, .. } | Kind::Text { default, .. } => default.clone().into(),
            Kind::Integer { default, .. } => (*default).into(),
            Kind::Number { default, .. } => (*default).into(),
            Kind::Switch { default } => (*default).into(),
        }
    }

    /// Makes a value of this option its default.
    pub fn preset(&mut self, value: &Value) {
        match &mut self.kind {
            Kind::Choice { default, .. } | Kind::Text { default, .. } => {
                *default = value.as_str().unwrap_or_default().to_owned();
            }
            Kind::Integer { default, .. } => *default = integer(value).unwrap_or(*default),
            Kind::Number { default, .. } => *default = number(value).unwrap_or(*default),
            Kind::Switch { default } => *default = switch(value).unwrap_or(*default),
        }
    }

    /// A value of this option.
    ///
    /// # Errors
    /// What to do instead, as a sentence.
    pub fn read(&self, value: &Value) -> Result<Value, String> {
        let value = single(value);
        match &self.kind {
            Kind::Choice { choices, .. } => {
                let chosen = choices.iter().find(|choice| value.as_str() == Some(&choice.value));
                chosen.map(|choice| choice.value.clone().into()).ok_or_else(|| {
                    let known: Vec<&str> = choices.iter().map(|choice| choice.value.as_str()).collect();
                    format!("Choose one of {}.", known.join(", "))
                })
            }
            Kind::Integer { min, max, .. } => integer(value)
                .filter(|number| (min..=max).contains(&number))
                .map(Value::from)
                .ok_or_else(|| format!("Enter a whole number from {min} to {max}{}.", self.spaced_unit())),
            Kind::Number { min, max, .. } => number(value)
                .filter(|number| (min..=max).contains(&number))
                .map(Value::from)
                .ok_or_else(|| format!("Enter a number from {min} to {max}{}.", self.spaced_unit())),
            Kind::Switch { .. } => {
                switch(value).map(Value::from).ok_or_else(|| "Choose true or false.".to_owned())
            }
            Kind::Text { .. } => self.text(value),
        }
    }

    fn text(&self, value: &Value) -> Result<Value, String> {
        let Kind::Text { longest, pattern, required, .. } = &self.kind else { return Ok(Value::Null) };
        let Some(text) = value.as_str() else { return Err("Enter a text.".to_owned()) };
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err("Enter one line, without control characters.".to_owned());
        }
        if text.chars().count() > *longest {
            return Err(format!("Enter at most {longest} characters."));
        }
        match (text.is_empty(), pattern) {
            (true, _) if *required => Err("Fill this in.".to_owned()),
            (false, Some(pattern)) if !pattern.matches(text) => Err(match self.help.as_str() {
                "" => format!("This does not have the form that is expected: {}", pattern.written),
                help => format!("This does not have the form that is expected. {help}"),
            }),
            _ => Ok(text.into()),
        }
    }

    fn spaced_unit(&self) -> String {
        if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) }
    }

    /// A value as people read it: a text, or a switch as it is.
    #[must_use]
    pub fn spoken(&self, value: &Value) -> Value {
        match (&self.kind, value) {
            (Kind::Choice { choices, .. }, value) => {
                let label = choices.iter().find(|choice| value.as_str() == Some(&choice.value));
                label.map(|choice| choice.label.as_str()).unwrap_or_default().into()
            }
            (_, Value::Bool(on)) => Value::Bool(*on),
            (_, value) => match super::fill::text(value).as_str() {
                "" => "".into(),
                text => format!("{text}{}", self.spaced_unit()).into(),
            },
        }
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let whole = number.as_f64().filter(|number| number.fract() == 0.0)?;
            format!("{whole:.0}").parse().ok()
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

fn switch(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(on) => Some(*on),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "on" | "true" | "yes" | "1" => Some(true),
            "off" | "false" | "no" | "0" | "" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
