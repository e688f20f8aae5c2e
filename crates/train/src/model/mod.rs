//! Models: logistic regression, and networks by libtorch.

#[cfg(feature = "tch")]
mod device;
#[cfg(feature = "tch")]
mod kept;
mod learner;
mod logistic;
#[cfg(feature = "tch")]
mod network;
#[cfg(feature = "tch")]
mod pass;
#[cfg(feature = "tch")]
mod plan;
#[cfg(feature = "tch")]
mod resident;

pub use learner::{Computed, Evaluation, Job, Learner, ModelError, Report, Request, Resident, Take};
pub use logistic::Logistic;
#[cfg(feature = "tch")]
pub use network::Network;

use super::config::{ConfigError, Device, ModelKind};
use super::data::Data;

/// The model of a kind for some data, on a device.
///
/// # Errors
/// [`ConfigError`]: data of a wrong kind, a device that is not there, a program without libtorch.
pub fn learner(kind: ModelKind, device: Device, data: &Data) -> Result<Box<dyn Learner>, ConfigError> {
    if kind == ModelKind::Logistic {
        return match device {
            Device::Auto | Device::Cpu => Ok(Box::new(Logistic::new(data))),
            other => Err(ConfigError(format!("device {other}: model logistic is computed on the CPU"))),
        };
    }
    #[cfg(feature = "tch")]
    return Ok(Box::new(Network::new(kind, device, data)?));
    #[cfg(not(feature = "tch"))]
    return Err(ConfigError(format!(
        "model {} needs libtorch, which this program was built without: in its source folder, scripts/libtorch, \
         then cargo install --path . --features tch",
        kind.name()
    )));
}

/// What there is to say of libtorch and of CUDA, one line each.
#[must_use]
pub fn libraries() -> [String; 2] {
    #[cfg(feature = "tch")]
    return device::report();
    #[cfg(not(feature = "tch"))]
    return [
        "not built in: scripts/libtorch in the source folder, then cargo install --path . --features tch"
            .into(),
        "needs libtorch".into(),
    ];
}
