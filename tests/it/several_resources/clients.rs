//! What the rules of real clients make of what is published.

use http::Method;

use super::{HOSTS, Host, path_inserted};

/// How clients decide whether a document is about the URL that they were given.
struct Client {
    name: &'static str,
    accepts: fn(url: &str, resource: &str) -> bool,
}

/// Re-implemented from how their sources behave.
const CLIENTS: &[Client] = &[
    Client { name: "Go SDK: equal as text", accepts: |url, resource| url == resource },
    Client {
        name: "VS Code: equal, but for the slash of a bare origin",
        accepts: |url, resource| {
            let of_origin = |text: &str| {
                url::Url::parse(text).ok().filter(|url| url.path() == "/" && url.query().is_none())
            };
            url == resource || of_origin(url).is_some() && of_origin(url) == of_origin(resource)
        },
    },
    Client { name: "TypeScript SDK: same origin, path is a prefix", accepts: is_below },
    Client {
        name: "Python SDK: slash-normalised and hierarchical",
        // `AnyHttpUrl` adds a slash to a bare origin first, which changes nothing for the comparison.
        accepts: is_below,
    },
    Client {
        name: "C# SDK: the URL without its slash and in any case, or the authority",
        accepts: |url, resource| {
            let trim = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
            let authority = url::Url::parse(url).unwrap().origin().ascii_serialization();
            trim(url) == trim(resource) || authority == trim(resource)
        },
    },
];

fn is_below(url: &str, resource: &str) -> bool {
    let [url, resource] = [url, resource].map(|text| url::Url::parse(text).unwrap());
    let with_slash = |path: &str| format!("{}/", path.trim_end_matches('/'));
    url.origin() == resource.origin()
        && with_slash(url.path()).starts_with(&with_slash(resource.path()))
}

#[tokio::test]
async fn every_client_accepts_the_document_that_it_finds_for_the_url_that_was_configured() {
    for resources in HOSTS {
        let host = Host::at(resources);
        for url in *resources {
            let refused = host.ask(Method::POST, url, None).await;
            for document_url in [refused.metadata_url().unwrap(), &path_inserted(url)] {
                let published = host.get(document_url).await.resource();
                for client in CLIENTS {
                    assert!(
                        (client.accepts)(url, &published),
                        "{}: {published} for {url}",
                        client.name
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn clients_that_were_given_the_other_slash_form_get_as_far_as_their_rule_lets_them() {
    // In the order of `CLIENTS`: Go, VS Code, TypeScript, Python, C#.
    for (resource, url, expected) in [
        ("https://h", "https://h/", [false, true, true, true, true]),
        ("https://h/", "https://h", [false, true, true, true, true]),
        ("https://h/mcp", "https://h/mcp/", [false, false, true, true, true]),
        ("https://h/mcp/", "https://h/mcp", [false, false, true, true, true]),
        ("https://h", "https://h/mcp", [false, false, true, true, true]),
        ("https://h/mcp", "https://h", [false; 5]),
    ] {
        let host = Host::at(&[resource]);
        // One resource alone: whatever was called, its document is the one.
        let refused = host.ask(Method::POST, url, None).await;
        let published = host.get(refused.metadata_url().unwrap()).await.resource();
        assert_eq!(published, resource);
        for (client, expected) in CLIENTS.iter().zip(expected) {
            let accepts = (client.accepts)(url, &published);
            assert_eq!(accepts, expected, "{}: {published} for {url}", client.name);
        }
    }
}

#[tokio::test]
async fn no_client_takes_the_document_of_one_resource_for_that_of_its_neighbour() {
    let host = Host::at(&["https://h/a", "https://h/b"]);
    for (url, other) in [("https://h/a", "https://h/b"), ("https://h/b", "https://h/a")] {
        let theirs = host.get(&path_inserted(other)).await.resource();
        for client in CLIENTS {
            assert!(!(client.accepts)(url, &theirs), "{}", client.name);
        }
    }
}
