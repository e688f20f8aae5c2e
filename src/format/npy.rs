//! NumPy's npy. Written as u8, n × k, C order; read in any integer or bool type and either order.

use std::io;

use npyz::{DType, Order, WriterBuilder as _};

use super::{FormatError, from_entries};
use crate::code::{AllocationMatrix, MAX_SIZE};

pub(super) fn parse(bytes: &[u8]) -> Result<AllocationMatrix, FormatError> {
    let broken = |error: io::Error| {
        FormatError::new(format!("not a readable npy file: {error}"), "an array of u8 (or bool, or int)")
    };
    let file = npyz::NpyFile::new(bytes).map_err(broken)?;
    let &[n, k] = file.shape() else {
        return Err(FormatError::new(format!("an array of {} dimensions", file.shape().len()), "2"));
    };
    if !(1..=MAX_SIZE as u64).contains(&n) || !(1..=MAX_SIZE as u64).contains(&k) {
        return Err(FormatError::new(
            format!("an array of {n} × {k}"),
            format!("1 to {MAX_SIZE} rows and columns"),
        ));
    }
    let (n, k) = (n as usize, k as usize);
    let order = file.order();
    let type_name = match file.dtype() {
        DType::Plain(plain) => plain.to_string(),
        other => other.descr(),
    };
    // Negative and large numbers become 255, which is refused with its place below.
    let narrow = |values: Vec<i64>| values.into_iter().map(|v| u8::try_from(v).unwrap_or(255)).collect();
    let entries: Vec<u8> = match &type_name[1..] {
        "u1" => file.into_vec::<u8>().map_err(broken)?,
        "b1" => file.into_vec::<bool>().map_err(broken)?.into_iter().map(u8::from).collect(),
        "i1" => narrow(file.into_vec::<i8>().map_err(broken)?.into_iter().map(i64::from).collect()),
        "i4" => narrow(file.into_vec::<i32>().map_err(broken)?.into_iter().map(i64::from).collect()),
        "i8" => narrow(file.into_vec::<i64>().map_err(broken)?),
        _ => {
            return Err(FormatError::new(format!("an array of type {type_name}"), "u1, b1, i1, i4 or i8"));
        }
    };
    if entries.len() != n * k {
        return Err(FormatError::new(format!("{} entries", entries.len()), format!("{n} × {k}")));
    }
    let at = |j: usize, i: usize| match order {
        Order::C => entries[j * k + i],
        Order::Fortran => entries[i * n + j],
    };
    let rows: Vec<Vec<u8>> = (0..n).map(|j| (0..k).map(|i| at(j, i)).collect()).collect();
    from_entries(&rows, "")
}

pub(super) fn write(g: &AllocationMatrix) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&[g.n() as u64, g.k() as u64])
        .writer(&mut bytes)
        .begin_nd()?;
    for j in 0..g.n() {
        for i in 0..g.k() {
            writer.push(&u8::from(g.holds(j, i)))?;
        }
    }
    writer.finish()?;
    Ok(bytes)
}
