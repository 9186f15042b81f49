//! The same for text that nobody expected: quotes, commas, control characters, other parameters.

use palisade_integration::challenges::hostile;
use proptest::prelude::*;

use super::assert_read_alike;

proptest! {
    /// HTTP-08. What passes where it is configured is read by all as it was written; what does not is read by
    /// none, and changes nothing else.
    #[test]
    fn http_08_hostile_text_is_read_alike_or_not_sent(refused in hostile()) {
        prop_assert_eq!(refused.lines.len(), refused.offered);
        let meant = refused.meant.unwrap();
        // The realm is Bearer's own; the rest is in both.
        let lines = if meant.realm.is_some() { &refused.lines[..1] } else { &refused.lines[..] };
        assert_read_alike(lines, &meant, &refused.name);
    }
}
