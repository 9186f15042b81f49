use proptest::prelude::*;

use super::*;

#[test]
fn pth_01_paths_that_can_be_read_in_two_ways_are_ambiguous() {
    for (name, path) in [
        ("empty", ""),
        ("not absolute", "admin"),
        ("asterisk form", "*"),
        ("double slash first", "//admin"),
        ("double slash inside", "/a//admin"),
        ("double slash last", "/admin//"),
        ("dot segment", "/./admin"),
        ("dot segment last", "/admin/."),
        ("two dots", "/x/../admin"),
        ("two dots first", "/../admin"),
        ("two dots last", "/admin/.."),
        ("encoded letter", "/%61dmin"),
        ("encoded digit", "/v%31"),
        ("encoded dot", "/%2e/admin"),
        ("encoded dots", "/x/%2E%2e/admin"),
        ("half encoded dots", "/x/.%2e/admin"),
        ("encoded tilde", "/%7Ealice"),
        ("encoded slash", "/admin%2f"),
        ("encoded slash inside", "/a%2Fadmin"),
        ("encoded backslash", "/admin%5c"),
        ("encoded NUL", "/admin%00"),
        ("encoded line break", "/admin%0d%0a"),
        ("encoded DEL", "/admin%7f"),
        ("encoded parameter", "/admin%3bx"),
        ("encoded percent", "/%2561dmin"),
        ("parameter", "/admin;x"),
        ("parameter after dots", "/a/..;/admin"),
        ("backslash", "/admin\\"),
        ("backslash as slash", "/a\\..\\admin"),
        ("broken escape", "/admin%"),
        ("short escape", "/admin%4"),
        ("escape without digits", "/admin%zz"),
        ("escape with a sign", "/admin%+4"),
        ("utf-16 escape", "/%u0061dmin"),
        ("overlong slash", "/x%c0%afadmin"),
        ("overlong slash in three bytes", "/x%e0%80%afadmin"),
        ("overlong dots", "/x/%c0%ae%c0%ae/admin"),
        ("half of a surrogate pair", "/%ed%a0%80"),
        ("beyond Unicode", "/%f4%90%80%80"),
        ("a character that ends too soon", "/caf%c3"),
        ("a character with a letter inside", "/%e2%82x"),
        ("a character across segments", "/%c3/%a9"),
        ("no beginning of a character", "/%a9"),
        ("another encoding", "/caf%e9"),
        ("fragment", "/admin#"),
        ("query", "/admin?"),
        ("space", "/ad min"),
        ("NUL", "/admin\0"),
        ("control character", "/admin\u{7f}"),
        ("outside ascii", "/ａdmin"),
        ("overlong looking letters", "/ádmin"),
        ("braces", "/{id}"),
        ("bar", "/a|b"),
        ("quote", "/a\"b"),
        ("caret", "/a^b"),
    ] {
        assert!(!is_unambiguous_path(path), "{name}: {path}");
    }
}

#[test]
fn ordinary_paths_are_unambiguous() {
    for path in [
        "/",
        "/files",
        "/files/",
        "/ADMIN",
        "/files.v1.Files/Get",
        "/.well-known/x",
        "/...",
        "/a..b",
        "/~alice/-_.",
        "/users/alice@example.com",
        "/users/alice%40example.com",
        "/v1/files:batch,delete",
        "/a(b)'c*d+e!f$g&h=i",
        "/with%20space",
        "/caf%C3%A9",
        "/caf%c3%a9",
        "/%e2%82%ac%F0%9F%98%80x%C3%A9",
        "/what%3F%23",
    ] {
        assert!(is_unambiguous_path(path), "{path}");
    }
}

proptest! {
    /// Against the decoder of the standard library.
    #[test]
    fn escapes_are_utf_8(
        bytes in prop::collection::vec(prop_oneof![0x80..=0xff_u8, Just(b'x'), Just(b' ')], 0..6),
        characters in "[\u{80}-\u{10ffff}x]{0,4}",
    ) {
        for bytes in [bytes.as_slice(), characters.as_bytes()] {
            let path = bytes.iter().fold(String::from("/"), |path, byte| match byte {
                b'x' => path + "x",
                byte => format!("{path}%{byte:02X}"),
            });
            prop_assert_eq!(is_unambiguous_path(&path), str::from_utf8(bytes).is_ok(), "{}", path);
        }
    }
}
