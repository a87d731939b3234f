use super::*;

#[test]
fn amazons_roots_can_be_read_all_of_them() {
    let certificates = AMAZON_ROOTS.windows(5).filter(|window| *window == b"BEGIN").count();
    assert_eq!((certificates > 0, roots(Trust::Amazon).len()), (true, certificates));
}

#[test]
fn ring_speaks_what_rustls_asks_for() {
    tls(Trust::Amazon);
}

#[test]
fn what_took_too_long_is_told_from_what_broke() {
    let late = io::Error::new(io::ErrorKind::TimedOut, "late");
    let wrapped = io::Error::other(io::Error::other(io::Error::from(io::ErrorKind::ConnectionReset)));
    assert!(is_late(&late));
    assert!(!is_late(&wrapped));
}
