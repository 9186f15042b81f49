//! Reads the audit records that the server wrote, as an auditor would.

use std::path::Path;

use palisade_examples::AnyError;
use serde_json::Value;

/// One line of the audit file.
pub(crate) struct Record {
    raw: String,
    value: Value,
}

pub(crate) fn read(file: &Path) -> Result<Vec<Record>, AnyError> {
    let text = std::fs::read_to_string(file)?;
    text.lines()
        .map(|line| Ok(Record { raw: line.to_owned(), value: serde_json::from_str(line)? }))
        .collect()
}

impl Record {
    pub(crate) fn raw(&self) -> &str {
        &self.raw
    }

    fn text(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn reason(&self) -> &str {
        self.text("/reason")
    }

    pub(crate) fn subject(&self) -> &str {
        self.text("/principal/subject")
    }

    pub(crate) fn status(&self) -> u64 {
        self.value.pointer("/status").and_then(Value::as_u64).unwrap_or_default()
    }

    pub(crate) fn operation(&self) -> String {
        let (name, target) = (self.text("/operation/name"), self.text("/operation/target"));
        format!("{name} {target}").trim_end().to_owned()
    }

    pub(crate) fn row(&self) -> [String; 7] {
        let time = self.text("/time").split_once('T').map_or("", |(_, time)| time);
        let time = time.get(..12).unwrap_or(time);
        let why = match (self.text("/stage"), self.reason()) {
            ("", _) => String::new(),
            (stage, reason) => format!("{stage}: {reason}"),
        };
        [
            time.to_owned(),
            or_dash(self.subject()),
            or_dash(self.text("/client")),
            self.operation(),
            self.text("/outcome").to_owned(),
            self.status().to_string(),
            why,
        ]
    }
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "–".to_owned() } else { text.to_owned() }
}
