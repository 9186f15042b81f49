//! Each client, shown what it misreads: without that, that all agree would prove nothing.

use palisade_integration::challenges::clients::{
    only_metadata, python, split_at_commas, strict, typescript_1, typescript_2,
};

#[test]
fn clients_that_search_find_parameters_within_values() {
    let line = [r#"Bearer error_description="see scope=x", scope="read""#];
    for client in [typescript_1, typescript_2, python] {
        assert_eq!(client(&line).unwrap().scope.as_deref(), Some("x\""));
    }
    assert_eq!(strict(&line).unwrap().scope.as_deref(), Some("read"));
    assert_eq!(split_at_commas(&line).unwrap().scope.as_deref(), Some("read"));
}

#[test]
fn clients_that_split_lose_what_is_behind_a_comma() {
    let line = [r#"Bearer scope="read,write", realm="x""#];
    assert_eq!(split_at_commas(&line).unwrap().scope.as_deref(), Some("\"read"));
    for client in [typescript_1, python, strict] {
        assert_eq!(client(&line).unwrap().scope.as_deref(), Some("read,write"));
    }
}

#[test]
fn a_strict_client_finds_nothing_where_one_byte_is_wrong() {
    for line in [
        "Bearer",
        "Bearer ",
        r#"Bearer scope="a" realm="b""#,
        r#"Bearer scope="a", scope="b""#,
        r#"Bearer scope="a"#,
        r#"Bearer scope=a b"#,
        "Bearer realm=\"a\rb\"",
        r#"Bearer realm="a","#,
        r#"Bearer re alm="a""#,
    ] {
        assert_eq!(strict(&[line]), None, "{line}");
    }
    let both = strict(&[r#"Bearer realm="a\"b", scope=c, DPoP algs="ES256""#]).unwrap();
    assert_eq!((both.realm.as_deref(), both.scope.as_deref()), (Some("a\"b"), Some("c")));
    assert_eq!(strict(&[r#"Bearer realm="a""#, "DPoP"]), None, "nor in the next line");
}

#[test]
fn escapes_are_read_by_the_strict_only() {
    let line = [r#"Bearer realm="a\"b""#];
    assert_eq!(typescript_1(&line).unwrap().realm.as_deref(), Some("a\\"));
    assert_eq!(split_at_commas(&line).unwrap().realm.as_deref(), Some("a\\\"b"));
}

#[test]
fn some_need_bearer_first_and_something_behind_it() {
    assert_eq!(typescript_1(&["Bearer"]), None);
    assert_eq!(typescript_1(&[r#"DPoP algs="ES256", realm="a""#]), None);
    assert_eq!(typescript_2(&[r#"DPoP algs="ES256", realm="a""#]).unwrap().scheme, "DPoP");
    assert_eq!(typescript_2(&[r#"Basic realm="a""#]), None);
    assert_eq!(only_metadata(&["Bearer resource_metadata=https://h"]), None);
    let empty = typescript_1(&[r#"Bearer scope="""#]).unwrap();
    assert_eq!(empty.scope.as_deref(), Some("\"\""), "an empty value is two quotes");
}
