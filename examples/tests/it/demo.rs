use std::process::{Command, Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    time::timeout,
};

use crate::support::PATIENCE;

#[test]
fn the_demo_goes_as_it_says() {
    let demo = Command::new(env!("CARGO_BIN_EXE_demo")).output().unwrap();
    let (said, failed) =
        (String::from_utf8_lossy(&demo.stdout), String::from_utf8_lossy(&demo.stderr));
    assert!(demo.status.success(), "{said}\n{failed}");
    assert!(said.contains("Every step went as it says."), "{said}");
    assert!(!said.contains('\x1b'), "no colours into a pipe");
}

#[tokio::test]
async fn what_serve_prints_can_be_pasted() {
    let mut demo = tokio::process::Command::new(env!("CARGO_BIN_EXE_demo"))
        .args(["--serve", "--end-with-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    while let Some(line) = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap() {
        let is_last = line.starts_with("cat ");
        said.push(line);
        if is_last {
            break;
        }
    }
    let token = said.iter().find_map(|line| line.strip_prefix("TOKEN=")).unwrap();
    let with_token = said.iter().find(|line| line.contains("$TOKEN")).unwrap();
    let words = shell_words(&with_token.replace("$TOKEN", token));
    let [curl, include, url, options @ ..] = words.as_slice() else { panic!("{with_token}") };
    assert_eq!((curl.as_str(), include.as_str()), ("curl", "-i"));
    let mut request = reqwest::Client::new().post(url);
    for option in options.chunks(2) {
        request = match option {
            [flag, header] if flag == "-H" => {
                let (name, value) = header.split_once(": ").unwrap();
                request.header(name, value)
            }
            [flag, data] if flag == "-d" => request.body(data.clone()),
            _ => panic!("{option:?}"),
        };
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.text().await.unwrap().contains("list_notes"));
}

/// Splits as a shell does, as far as these lines need it.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words
}
