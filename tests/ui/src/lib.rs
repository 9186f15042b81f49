//! What must not compile, and what the compiler says then: the cases are in `cases/`, each with the message
//! beside it. After a change of a message, look at it, then run the test with `TRYBUILD=overwrite`.
