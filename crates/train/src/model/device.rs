//! Where libtorch computes: found out when the program runs, so that one binary serves machines with and
//! without a GPU.

use std::sync::OnceLock;

use tch::{Cuda, Device};

use crate::config::{ConfigError, Device as Choice};

/// Loads libtorch's CUDA half, which nothing links to: without this a program sees no GPU. What is said
/// where that fails.
fn load_cuda() -> Result<(), &'static str> {
    static LOADED: OnceLock<Result<(), String>> = OnceLock::new();
    let load = || {
        use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
        // SAFETY: libtorch's own library, found where libtorch was; its initialisers register kernels only.
        let library = unsafe { Library::open(Some("libtorch_cuda.so"), RTLD_NOW | RTLD_GLOBAL) };
        // It must stay: what it registered is called until the end.
        library.map(std::mem::forget).map_err(|error| error.to_string())
    };
    LOADED.get_or_init(load).as_ref().copied().map_err(String::as_str)
}

/// How many GPUs libtorch can use here.
fn gpus() -> usize {
    if load_cuda().is_ok() && Cuda::is_available() {
        usize::try_from(Cuda::device_count()).unwrap_or(0)
    } else {
        0
    }
}

/// The device, and whether votes are taken there too.
pub(super) fn choose(choice: Choice) -> Result<(Device, bool), ConfigError> {
    match choice {
        Choice::Cpu => Ok((Device::Cpu, false)),
        Choice::Tensors => Ok((Device::Cpu, true)),
        Choice::Auto => Ok(if gpus() > 0 { (Device::Cuda(0), true) } else { (Device::Cpu, false) }),
        Choice::Cuda(index) if index < gpus() => Ok((Device::Cuda(index), true)),
        Choice::Cuda(index) => Err(ConfigError(match (load_cuda(), gpus()) {
            (Err(_), _) => format!(
                "device cuda:{index}: this libtorch has no CUDA; build with LIBTORCH set to the folder torch of \
                 a Python that has torch 2.11 with CUDA (`ecode doctor` says more)"
            ),
            (Ok(()), 0) => format!("device cuda:{index}: no GPU is usable here; `--device cpu` does without"),
            (Ok(()), count) => {
                format!("device cuda:{index}: there are {count}, cuda:0 to cuda:{}", count - 1)
            }
        })),
    }
}

/// Its name, as `--device` takes it.
pub(super) fn name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        _ => "cpu".into(),
    }
}

/// One line on libtorch and one on CUDA.
pub(super) fn report() -> [String; 2] {
    let cuda = match (load_cuda(), gpus()) {
        (Err(why), _) => format!("not in this libtorch ({})", why.lines().next().unwrap_or_default()),
        (Ok(()), 0) => "libtorch has it, but finds no usable GPU".to_owned(),
        (Ok(()), count) => format!("{count} usable, cuda:0 to cuda:{}", count - 1),
    };
    ["libtorch 2.11".into(), cuda]
}
