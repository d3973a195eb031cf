//! Tests of `fault.rs`.

use super::*;

#[test]
fn settings_are_read_and_wrong_ones_refused() {
    assert_eq!(parse(None), Ok(None));
    assert_eq!(parse(Some("")), Ok(None));
    assert_eq!(
        parse(Some("exit@17")),
        Ok(Some(InjectedFault {
            kind: FaultKind::Exit,
            at: 17
        }))
    );
    assert_eq!(
        parse(Some("edquot@1")),
        Ok(Some(InjectedFault {
            kind: FaultKind::Quota,
            at: 1
        }))
    );
    for wrong in ["exit", "exit@", "exit@0", "exit@x", "bang@3"] {
        assert!(
            parse(Some(wrong)).is_err_and(|message| message.contains("write exit@N")),
            "{wrong}"
        );
    }
}
