//! Types whose values no debug print shows.

/// Implements `Debug` for types that hold a secret, name a person or carry a body. It prints the name of the type and
/// nothing of the value, so no log line and no panic can show one.
///
/// ```
/// struct Password(String);
/// greenroom_core::opaque!(Password);
/// assert_eq!(format!("{:?}", Password("secret".to_owned())), "Password");
/// ```
#[macro_export]
macro_rules! opaque {
    ($($name:ident),+ $(,)?) => {$(
        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+};
}
