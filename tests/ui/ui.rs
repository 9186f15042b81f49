//! Stacks that would leave a door open do not compile, and the message says what to do.

#[test]
fn a_stack_that_would_leave_a_door_open_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("cases/complete.rs");
    cases.compile_fail("cases/without_*.rs");
    cases.compile_fail("cases/*_in_the_wrong_place.rs");
    cases.compile_fail("cases/*_twice.rs");
}
