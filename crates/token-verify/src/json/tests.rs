use proptest::prelude::*;

use super::*;

const BOUNDS: Bounds = Bounds { depth: 8, values: 64 };

fn read(text: &str) -> Option<Value> {
    read_object(text.as_bytes(), BOUNDS).map(Value::Object)
}

#[test]
fn depth_is_counted_from_the_outermost_object() {
    let nested = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    assert!(read(&nested(8)).is_some());
    assert!(read(&nested(9)).is_none());
    let empty_inside =
        |depth: usize| format!("{}[]{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    assert!(read(&empty_inside(7)).is_some());
    assert!(read(&empty_inside(8)).is_none());
}

#[test]
fn values_are_counted_all_together() {
    let list = |len: usize| format!(r#"{{"a":[{}]}}"#, vec!["0"; len].join(","));
    assert!(read(&list(62)).is_some(), "62, the array and the object");
    assert!(read(&list(63)).is_none());
}

#[test]
fn the_wrapper_of_numbers_is_not_believed_from_strangers() {
    let value = read(r#"{"exp":{"$serde_json::private::Number":"9999999999"}}"#).unwrap();
    // Where `arbitrary_precision` is on, this is how numbers look, and nobody can tell.
    assert_eq!(value["exp"].is_object(), !numbers_come_as_maps());
}

/// A document as a tree, duplicates included.
#[derive(Clone, Debug)]
enum Tree {
    Scalar(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Tree {
    fn text(&self) -> String {
        match self {
            Self::Scalar(text) => text.clone(),
            Self::Array(items) => {
                format!("[{}]", items.iter().map(Self::text).collect::<Vec<_>>().join(","))
            }
            Self::Object(members) => {
                let members =
                    members.iter().map(|(name, value)| format!("\"{name}\":{}", value.text()));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
        }
    }

    /// The naive twin: looks at all pairs of names.
    fn repeats_a_name(&self) -> bool {
        match self {
            Self::Scalar(_) => false,
            Self::Array(items) => items.iter().any(Self::repeats_a_name),
            Self::Object(members) => {
                let unescaped = |name: &String| name.replace("\\u0061", "a");
                members.iter().zip(1..).any(|((left, value), next)| {
                    value.repeats_a_name()
                        || members
                            .iter()
                            .skip(next)
                            .any(|(right, _)| unescaped(left) == unescaped(right))
                })
            }
        }
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
        "[a-z]{0,3}".prop_map(|text| format!("\"{text}\"")),
    ];
    let leaf = scalar.prop_map(Tree::Scalar);
    let name = prop_oneof![Just("a".to_owned()), Just("\\u0061".to_owned()), "[a-d]{1,2}"];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Tree::Array),
            prop::collection::vec((name.clone(), inner), 0..4).prop_map(Tree::Object),
        ]
    })
}

proptest! {
    #[test]
    fn means_what_serde_json_means_unless_a_name_is_repeated(tree in trees()) {
        // With `arbitrary_precision`, `serde_json` keeps the spelling of numbers. We do not.
        prop_assume!(!numbers_come_as_maps());
        let text = tree.text();
        let expected = serde_json::from_str::<Value>(&text).unwrap();
        match read(&text) {
            Some(value) => {
                prop_assert!(!tree.repeats_a_name());
                prop_assert_eq!(value, expected);
            }
            None => prop_assert!(tree.repeats_a_name() || !expected.is_object(), "{}", text),
        }
    }

    #[test]
    fn reads_nothing_that_serde_json_does_not_read(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Some(members) = read_object(&bytes, BOUNDS) {
            prop_assert_eq!(Value::Object(members), serde_json::from_slice::<Value>(&bytes).unwrap());
        }
    }
}
