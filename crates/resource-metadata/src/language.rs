//! Language tags (RFC 9728 §2.1, BCP 47).

use std::fmt;

/// RFC 5646 sets no limit; §4.4.1 counts 35 characters for all that is in use.
const MAX_BYTES: usize = 64;

/// A well-formed language tag, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct LanguageTag(Box<str>);

impl LanguageTag {
    /// `None` unless the tag is well-formed (RFC 5646 §2.2.9). Whether its subtags are registered is not
    /// looked at. The irregular tags that are there for old times' sake only, such as `i-klingon`, have newer
    /// forms.
    pub(crate) fn parse(tag: &str) -> Option<Self> {
        (tag.len() <= MAX_BYTES && is_well_formed(tag)).then(|| Self(tag.into()))
    }
}

impl fmt::Display for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 5646 §2.1, from left to right.
fn is_well_formed(tag: &str) -> bool {
    let tag = tag.to_ascii_lowercase();
    let mut subtags = tag.split('-').peekable();
    let is_alphabetic = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_plain = |text: &&str| {
        (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };

    // `privateuse` may also stand alone.
    if subtags.peek() != Some(&"x") {
        let Some(language) = subtags.next() else { return false };
        if !(2..=8).contains(&language.len()) || !is_alphabetic(language) {
            return false;
        }
        if language.len() <= 3 {
            // `extlang`: up to three.
            for _ in 0..3 {
                let _ = subtags.next_if(|subtag| subtag.len() == 3 && is_alphabetic(subtag));
            }
        }
        let _script = subtags.next_if(|subtag| subtag.len() == 4 && is_alphabetic(subtag));
        let _region = subtags.next_if(|subtag| {
            subtag.len() == 2 && is_alphabetic(subtag)
                || subtag.len() == 3 && subtag.bytes().all(|byte| byte.is_ascii_digit())
        });
        // §2.2.5 and §2.2.6: the same variant, or the same singleton, only once.
        let mut variants = Vec::new();
        while let Some(variant) = subtags.next_if(|subtag| {
            is_plain(subtag)
                && (subtag.len() >= 5
                    || subtag.len() == 4 && subtag.starts_with(|c: char| c.is_ascii_digit()))
        }) {
            if variants.contains(&variant) {
                return false;
            }
            variants.push(variant);
        }
        let mut singletons = Vec::new();
        while let Some(singleton) =
            subtags.next_if(|subtag| subtag.len() == 1 && is_plain(subtag) && *subtag != "x")
        {
            let mut count = 0_usize;
            while subtags.next_if(|subtag| subtag.len() >= 2 && is_plain(subtag)).is_some() {
                count = count.saturating_add(1);
            }
            if count == 0 || singletons.contains(&singleton) {
                return false;
            }
            singletons.push(singleton);
        }
    }
    match subtags.next() {
        None => true,
        Some("x") => subtags.peek().is_some() && subtags.all(|subtag| is_plain(&subtag)),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn takes_the_tags_of_rfc_5646_appendix_a() {
        for tag in [
            "de",
            "fr",
            "ja",
            "zh-Hant",
            "zh-Hans",
            "sr-Cyrl",
            "zh-cmn-Hans-CN",
            "cmn-Hans-CN",
            "zh-yue-HK",
            "yue-HK",
            "zh-Hans-CN",
            "sr-Latn-RS",
            "sl-rozaj",
            "sl-rozaj-biske",
            "sl-nedis",
            "de-CH-1901",
            "sl-IT-nedis",
            "hy-Latn-IT-arevela",
            "de-DE",
            "en-US",
            "es-419",
            "de-CH-x-phonebk",
            "az-Arab-x-AZE-derbend",
            "x-whatever",
            "qaa-Qaaa-QM-x-southern",
            "de-Qaaa",
            "sr-Latn-QM",
            "sr-Qaaa-RS",
            "en-US-u-islamcal",
            "zh-CN-a-myext-x-private",
            "en-a-myext-b-another",
            "zh-min-nan",
            "FR",
        ] {
            assert!(LanguageTag::parse(tag).is_some(), "{tag}");
        }
    }

    #[test]
    fn refuses_what_is_no_tag() {
        for (name, tag) in [
            ("RFC 5646 appendix A: two regions", "de-419-DE"),
            ("RFC 5646 appendix A: a singleton first", "a-DE"),
            ("RFC 5646 appendix A: a singleton twice", "ar-a-aaa-b-bbb-a-ccc"),
            ("empty", ""),
            ("one letter", "d"),
            ("nine letters", "abcdefghi"),
            ("a digit", "d1"),
            ("underscore", "en_US"),
            ("white space", "en US"),
            ("not ASCII", "frä"),
            ("nothing behind", "de-"),
            ("nothing before", "-de"),
            ("two dashes", "de--DE"),
            ("a variant twice", "de-1901-1901"),
            ("a variant twice, in other case", "sl-nedis-NEDIS"),
            ("an extension of nothing", "de-a"),
            ("an extension of nothing before private use", "de-a-x-b"),
            ("private use of nothing", "de-x"),
            ("nothing but private use of nothing", "x"),
            ("private use too long", "x-abcdefghi"),
            ("a script after the region", "de-DE-Latn"),
            ("irregular", "i-klingon"),
            ("a hash", "de#DE"),
            ("a line break", "de\n"),
            ("any", "*"),
        ] {
            assert!(LanguageTag::parse(tag).is_none(), "{name}: {tag}");
        }
        let of_length = |subtags: usize| format!("de-x{}", "-abcd".repeat(subtags));
        assert!(LanguageTag::parse(&of_length(12)).is_some());
        assert!(LanguageTag::parse(&of_length(13)).is_none(), "65 bytes or more");
    }

    proptest! {
        #[test]
        fn a_tag_holds_nothing_that_breaks_out_of_a_name(tag in "\\PC{0,12}|([a-z0-9]{1,9}-?){0,6}") {
            if let Some(tag) = LanguageTag::parse(&tag) {
                let text = tag.to_string();
                prop_assert!(text.split('-').all(|subtag| (1..=8).contains(&subtag.len())), "{}", text);
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
                prop_assert!(LanguageTag::parse(&text.to_ascii_uppercase()).is_some(), "case does not count");
            }
        }
    }
}
