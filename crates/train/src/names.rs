//! Enumerations whose values have names, in files and on the command line alike.

/// Declares an enumeration with a name for each value, in one place: what a file holds, what a flag takes, and
/// what a message says.
macro_rules! named {
    (
        $(#[$meta:meta])*
        pub enum $type:ident { $( $(#[$about:meta])* $variant:ident = $name:literal, )+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $type { $( $(#[$about])* #[serde(rename = $name)] $variant, )+ }

        impl $type {
            /// All names, in the order of the values.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// All values, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in files and on the command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )+ }
            }
        }
    };
}

pub(crate) use named;
