//! Which of the compiled versions of a kernel runs.

/// A set of vector instructions that the kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instructions {
    /// What every processor of the architecture has.
    Portable,
    /// 256-bit registers.
    Avx2,
    /// 512-bit registers and ternary logic.
    Avx512,
}

impl Instructions {
    /// All, the widest first.
    pub const ALL: [Self; 3] = [Self::Avx512, Self::Avx2, Self::Portable];

    /// Whether this processor has them.
    #[must_use]
    pub fn here(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            match self {
                Self::Portable => true,
                Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt"),
                Self::Avx512 => {
                    is_x86_feature_detected!("avx512f")
                        && is_x86_feature_detected!("avx512vpopcntdq")
                        && is_x86_feature_detected!("popcnt")
                }
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            self == Self::Portable
        }
    }

    /// The widest that this processor has.
    #[must_use]
    pub fn widest() -> Self {
        Self::ALL.into_iter().find(|set| set.here()).unwrap_or(Self::Portable)
    }
}
