//! Paths, to the MCP server and to the REST server.

use super::{Row, Target, rest::Rest};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "PTH-01",
        attack: "`//`, `/./`, `/../`, encoded letters and slashes, `;`, `\\`, NUL, a slash at the end, other case, not ASCII",
        answers: &["400", "400 path_ambiguous", "403", "403 operation_not_allowed"],
        test: "pth_01_spellings_of_paths",
    },
    Row {
        id: "PTH-02",
        attack: "an allowed path in the query, in a fragment, in the authority, behind the path",
        answers: &[
            "400",
            "401 token_missing",
            "403",
            "403 host_not_allowed",
            "403 operation_not_allowed",
        ],
        test: "pth_02_allowed_path_elsewhere",
    },
    Row {
        id: "PTH-03",
        attack: "paths that begin like an allowed one, end like it, or are the beginning of it",
        answers: &["400", "400 path_ambiguous", "403", "403 operation_not_allowed"],
        test: "pth_03_prefixes",
    },
];

impl Target {
    /// A variant with a good token, as a GET and as a POST that calls a tool.
    async fn attack_path(&mut self, path: &str) {
        let token = self.fresh();
        let get = self.whoami().line(format!("GET {path} HTTP/1.1")).token(&token);
        self.attack(path, get).await;
        let post = self.whoami().line(format!("POST {path} HTTP/1.1")).token(&token);
        // A message is one at the endpoint only. Elsewhere, what it asks for opens nothing.
        self.attack(path, post).await;
    }
}

#[tokio::test]
async fn pth_01_spellings_of_paths() {
    let mut target = Target::start("PTH-01").await;
    let rest = Rest::start().await;
    for path in [
        "//mcp",
        "/./mcp",
        "/../mcp",
        "/x/../mcp",
        "/mcp/.",
        "/mcp/..",
        "/mcp//",
        "/mcp/",
        "/MCP",
        "/Mcp",
        "/%6dcp",
        "/%6Dcp",
        "/m%63p",
        "/%2fmcp",
        "/mcp%2f",
        "/mcp%2F",
        "/%2e/mcp",
        "/x/%2e%2e/mcp",
        "/x/.%2E/mcp",
        "/mcp%5c",
        "/mcp\\",
        "/\\mcp",
        "/mcp;x",
        "/mcp;",
        "/;/mcp",
        "/mcp%3b",
        "/mcp%00",
        "/mcp%0a",
        "/mcp%0d%0a",
        "/mcp%20",
        "/mcp%09",
        "/mcp%",
        "/mcp%zz",
        "/mcp%6",
        "/%256dcp",
        "/mcp%252f",
        "/mcp%3f",
        "/mcp%23",
        "/mcp.",
        "/mcp..",
        "/mcp.json",
        "/mcp:80",
        "/mcp,",
        "/mcp&x",
        "/mcp=x",
        "/mcp~",
        "/mcp*",
        "/*",
        "*",
        "/é",
        "/ｍcp",
        "/mcp\u{200B}",
        "/mcp%C0%AF",
        "/mcp%c0%80",
        "/mcp%u002f",
        "/mcp\"",
        "/mcp'",
        "/mcp{x}",
        "/mcp|",
        "/mcp^",
    ] {
        target.attack_path(path).await;
    }
    for path in [
        "/mcp\0",
        "/mcp\u{1}",
        "/mcp\t",
        "/mcp\u{B}",
        "/mcp\u{7F}",
        "/mcp x",
        "/mcp<",
        "/mcp>",
        "/mcp`",
        "\\mcp",
    ] {
        let request = target.whoami().line(format!("GET {path} HTTP/1.1"));
        target.attack_below(path, request.token(target.fresh())).await;
    }
    for path in [
        "//reports/7",
        "/./reports/7",
        "/x/../reports/7",
        "/reports/./7",
        "/reports//7",
        "/reports/7//",
        "/reports/7/",
        "/reports/7/.",
        "/reports/..",
        "/reports/../reports/7",
        "/%72eports/7",
        "/report%73/7",
        "/reports%2f7",
        "/reports/%2e%2e",
        "/reports/a%2fb",
        "/reports/a%5cb",
        "/reports/a\\b",
        "/reports\\7",
        "/reports/7;x",
        "/reports;x/7",
        "/reports/%37",
        "/reports/7%00",
        "/reports/7%0a",
        "/reports/%252e",
        "/reports/%zz",
        "/reports/7%",
        "/REPORTS/7",
        "/Reports/7",
        "/reports",
        "/reports/",
        "/reports/é",
        "/ｒeports/7",
        "/reports/%C0%AF",
        "*",
        "/",
        "/reports/7\0",
        "/reports/7\u{7F}",
    ] {
        for method in ["GET", "PUT"] {
            let request = rest.request(&format!("{method} {path} HTTP/1.1"));
            target.attack_rest(&rest, path, request).await;
        }
    }
    // What is encoded because it has to be is one name, and no other.
    for (path, id) in
        [("/reports/a%20b", "a b"), ("/reports/%C3%A9", "é"), ("/reports/7?x=//../", "7")]
    {
        let answer = rest.send(&rest.request(&format!("GET {path} HTTP/1.1"))).await;
        assert!(answer.body.contains(&format!("\"id\":\"{id}\"")), "{path}: {answer:?}");
    }
    target.finish().await;
}

#[tokio::test]
async fn pth_02_allowed_path_elsewhere() {
    let mut target = Target::start("PTH-02").await;
    let rest = Rest::start().await;
    let well_known = "/.well-known/oauth-protected-resource";
    let own = target.addr;
    for path in [
        format!("/mcp?{well_known}"),
        format!("/mcp?x={well_known}/mcp"),
        format!("/mcp#{well_known}"),
        format!("/mcp?#{well_known}"),
        format!("/mcp{well_known}"),
        format!("/?{well_known}"),
        format!("{well_known}s"),
        format!("{well_known}.json"),
        format!("/x{well_known}"),
    ] {
        target.attack(&path, target.whoami().line(format!("GET {path} HTTP/1.1"))).await;
    }
    for path in ["/admin?/mcp", "/admin?x=/mcp", "/admin#/mcp", "/?/mcp", "/admin/mcp"] {
        let request = target.whoami().line(format!("GET {path} HTTP/1.1")).token(target.fresh());
        target.attack(path, request).await;
    }
    let line = format!("GET http://mcp/admin?http://{own}/mcp HTTP/1.1");
    target.attack("authority", target.whoami().line(line).token(target.fresh())).await;
    for path in [
        "/salaries?/reports/7",
        "/salaries?x=/reports/7",
        "/salaries#/reports/7",
        "/salaries/?/reports/7",
        "/salaries/reports/7",
        "/?/reports/7",
        "?/reports/7",
        "/reports?id=7",
        "/reports?/7",
        "/reports#/7",
        "http://reports/7",
        "http://x/salaries?/reports/7",
    ] {
        target.attack_rest(&rest, path, rest.request(&format!("GET {path} HTTP/1.1"))).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn pth_03_prefixes() {
    let mut target = Target::start("PTH-03").await;
    let rest = Rest::start().await;
    for path in [
        "/mcpx",
        "/mcp2",
        "/mcp-admin",
        "/mcp_",
        "/mcp.admin",
        "/mcp/admin",
        "/mcp/x/y",
        "/mc",
        "/m",
        "/",
        "/xmcp",
        "/x/mcp",
        "/mcp/mcp",
    ] {
        let get = target.whoami().line(format!("GET {path} HTTP/1.1")).token(target.fresh());
        target.attack(path, get).await;
        let delete = target.whoami().line(format!("DELETE {path} HTTP/1.1")).token(target.fresh());
        target.attack(path, delete).await;
    }
    for path in ["/mcp/../mcpx", "/mcp//x", "/mcp/;/x"] {
        let get = target.whoami().line(format!("GET {path} HTTP/1.1")).token(target.fresh());
        target.attack(path, get).await;
    }
    for path in [
        "/reportsx/7",
        "/reports-private/7",
        "/reports.bak/7",
        "/report/7",
        "/reports/7/8",
        "/reports/7/private",
        "/xreports/7",
        "/v1/reports/7",
        "/reports/reports/7",
        "/reports/7/../8",
    ] {
        for method in ["GET", "PUT"] {
            target
                .attack_rest(&rest, path, rest.request(&format!("{method} {path} HTTP/1.1")))
                .await;
        }
    }
    target.finish().await;
}
