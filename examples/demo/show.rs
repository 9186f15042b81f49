//! How the walk looks on a terminal.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "showing things is what this is for"
)]

use std::io::IsTerminal;

use http::{HeaderMap, StatusCode};

use crate::{records::Record, walk::Exchange, world::World};

/// Headers of answers that matter here.
const SHOWN: [&str; 6] =
    ["www-authenticate", "retry-after", "ratelimit", "ratelimit-policy", "cache-control", "etag"];
const MAX_BODY: usize = 400;

pub(crate) struct Show {
    color: bool,
}

impl Show {
    pub(crate) fn new() -> Self {
        let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { color }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(crate) fn welcome(&self, world: &World) {
        println!();
        println!("{}", self.paint("1", "Palisade: an MCP server behind all layers, from outside"));
        println!();
        println!("  authorization server  {}", world.issuer().issuer());
        println!("  protected MCP server  {}", world.url());
        println!("  audit records         {}", world.audit_file().display());
    }

    pub(crate) fn step(&self, number: usize, title: &str, story: &str) {
        println!();
        println!("{}", self.paint("1;36", &format!("{number:2}  {title}")));
        println!("    {story}");
    }

    pub(crate) fn exchange(&self, exchange: &Exchange) {
        println!();
        println!("    {} {}", self.paint("2", "→"), exchange.request_line());
        for line in exchange.request_notes() {
            println!("      {}", self.paint("2", &line));
        }
        let status = exchange.status();
        println!(
            "    {} {}",
            self.paint("2", "←"),
            self.paint(color_of(status), &status.to_string())
        );
        for line in shown_headers(exchange.headers()) {
            println!("      {line}");
        }
        if !exchange.body().is_empty() {
            println!("      {}", self.paint("2", &shorten(exchange.body())));
        }
    }

    pub(crate) fn note(&self, text: &str) {
        println!("      {text}");
    }

    pub(crate) fn checked(&self, what: &str) {
        println!("    {} {what}", self.paint("32", "✓"));
    }

    pub(crate) fn failure(&self, what: &str) {
        eprintln!("    {} {what}", self.paint("1;31", "✗"));
    }

    pub(crate) fn records(&self, records: &[Record]) {
        println!();
        println!("{}", self.paint("1;36", "    The audit trail of all that"));
        println!();
        let rows = folded(records);
        let head =
            ["when", "who", "client", "operation", "outcome", "status", "why"].map(str::to_owned);
        let width = |column: usize| {
            rows.iter()
                .chain([&head])
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
        };
        let widths: Vec<usize> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
        let line = |row: &[String]| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        println!("    {}", self.paint("1", &line(&head)));
        for row in &rows {
            println!("    {}", line(row));
        }
    }

    pub(crate) fn success(&self) {
        println!();
        println!("{}", self.paint("1;32", "Every step went as it says."));
        println!();
    }

    pub(crate) fn plain(&self, text: &str) {
        println!("{text}");
    }
}

/// The rows of the table. Of more than two that differ in nothing but the time, the first is shown, and how
/// many are like it.
fn folded(records: &[Record]) -> Vec<[String; 7]> {
    let mut rows: Vec<[String; 7]> = Vec::new();
    let mut like_the_last = 0_usize;
    for row in records.iter().map(Record::row).map(Some).chain([None]) {
        let is_like_the_last = match (&row, rows.last()) {
            (Some([_, row @ ..]), Some([_, last @ ..])) => row == last,
            _ => false,
        };
        if is_like_the_last {
            like_the_last = like_the_last.saturating_add(1);
            continue;
        }
        if let (Some(last), 1..) = (rows.last_mut(), like_the_last) {
            let [_, _, _, _, _, _, why] = last;
            *why = format!("{why}and {like_the_last} more like this");
            like_the_last = 0;
        }
        rows.extend(row);
    }
    rows
}

fn color_of(status: StatusCode) -> &'static str {
    if status.is_success() { "32" } else { "33" }
}

fn shown_headers(headers: &HeaderMap) -> Vec<String> {
    SHOWN
        .iter()
        .flat_map(|name| headers.get_all(*name).iter().map(move |value| (name, value)))
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect()
}

fn shorten(body: &str) -> String {
    let flat = body.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(MAX_BODY) {
        Some((end, _)) => format!("{}…", flat.get(..end).unwrap_or_default()),
        None => flat,
    }
}
