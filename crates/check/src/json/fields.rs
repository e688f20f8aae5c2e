//! The fields of the file, with how many entries each list may have: nothing is read that could not be valid.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::certificate::GluedPart;
use ecode_core::MAX_SIZE;

/// Every field of the file. A field of another name is refused: nothing may hide in a certificate.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) schema: String,
    pub(super) program: String,
    pub(super) digest: String,
    pub(super) n: usize,
    pub(super) k: usize,
    #[serde(rename = "G")]
    pub(super) g: AtMost<AtMost<u8, MAX_SIZE>, MAX_SIZE>,
    pub(super) claim: Named<ClaimFields>,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) reductions: AtMost<String, 1>,
    pub(super) counterexample: Option<Named<Attack>>,
    #[serde(default)]
    pub(super) sides: AtMost<Named<Side>, 2>,
    pub(super) tight: Option<Named<Attack>>,
    pub(super) shape: Option<Shape>,
    pub(super) worst: Option<Indices>,
    pub(super) counted: Option<AtMost<Named<Counted>, 2>>,
    pub(super) choices: Option<String>,
    pub(super) parts: Option<AtMost<Named<Part>, MOST_PARTS>>,
}

/// Indices of partitions or workers.
pub(crate) type Indices = AtMost<usize, MAX_SIZE>;

/// More shards than this no enumeration has.
const MOST_PARTS: usize = 1 << 20;

/// Every margin from −n − 1 to n.
const MOST_MARGINS: usize = 2 * MAX_SIZE + 2;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counted {
    pub(super) answer: u8,
    pub(super) margins: AtMost<(i64, String), MOST_MARGINS>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) contents: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimFields {
    pub(super) verdict: String,
    pub(super) b: usize,
    pub(super) radius: Option<usize>,
    pub(super) smallest_margin: Option<i64>,
    pub(super) ties: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attack {
    pub(crate) message: Indices,
    pub(crate) byzantine: Indices,
    pub(crate) sent: AtMost<Option<u8>, MAX_SIZE>,
    pub(crate) decoded: u8,
    pub(crate) correct: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Side {
    pub(crate) answer: u8,
    pub(crate) formula: String,
    pub(crate) proof: String,
}

/// An object with the fields of `T`, by their names: a list of their values alone, which `serde` takes for one, is refused.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct Named<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
                T::deserialize(serde::de::value::MapAccessDeserializer::new(fields))
            }
        }
        from.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

/// A list that is refused as soon as it has more entries than this.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct AtMost<T, const MOST: usize>(pub(crate) Vec<T>);

impl<T, const MOST: usize> Default for AtMost<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for AtMost<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct List<T, const MOST: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for List<T, MOST> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MOST} entries")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Vec<T>, A::Error> {
                let mut list = Vec::new();
                while list.len() < MOST {
                    match entries.next_element()? {
                        Some(entry) => list.push(entry),
                        None => return Ok(list),
                    }
                }
                match entries.next_element::<IgnoredAny>()? {
                    None => Ok(list),
                    Some(_) => Err(A::Error::custom(format!("a list has more than {MOST} entries"))),
                }
            }
        }
        from.deserialize_seq(List::<T, MOST>(PhantomData)).map(Self)
    }
}

/// How partitions are cut into parts: a number is a part that is enumerated, `{"counted": points}` a counted one, a
/// list one under the lemma. No part is empty, and all together have at most [`MAX_SIZE`] points.
#[derive(Deserialize)]
pub(super) struct Shape(#[serde(deserialize_with = "parts")] pub(super) Vec<GluedPart>);

fn parts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<GluedPart>, D::Error> {
    struct List;
    impl<'de> Visitor<'de> for List {
        type Value = Vec<GluedPart>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of parts")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Vec<GluedPart>, A::Error> {
            let (mut list, mut points) = (Vec::new(), 0);
            while let Some(OnePart(part)) = entries.next_element()? {
                points += part.points();
                if points > MAX_SIZE {
                    return Err(A::Error::custom(format!("the parts have more than {MAX_SIZE} points")));
                }
                list.push(part);
            }
            if list.is_empty() { Err(A::Error::custom("a list of parts is empty")) } else { Ok(list) }
        }
    }
    from.deserialize_seq(List)
}

struct OnePart(GluedPart);

/// A part that is counted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CountedPart {
    counted: usize,
}

impl<'de> Deserialize<'de> for OnePart {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = GluedPart;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    "a number of points from 1 to {MAX_SIZE}, {{\"counted\": points}} or a list of parts"
                )
            }

            fn visit_u64<E: Error>(self, points: u64) -> Result<GluedPart, E> {
                match usize::try_from(points) {
                    Ok(points @ 1..=MAX_SIZE) => Ok(GluedPart::Enumerated(points)),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Unsigned(points), &self)),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, entries: A) -> Result<GluedPart, A::Error> {
                parts(serde::de::value::SeqAccessDeserializer::new(entries)).map(GluedPart::Lemma)
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<GluedPart, A::Error> {
                let fields = serde::de::value::MapAccessDeserializer::new(fields);
                match CountedPart::deserialize(fields)?.counted {
                    points @ 1..=MAX_SIZE => Ok(GluedPart::Counted(points)),
                    points => Err(A::Error::custom(format!("a part has {points} points"))),
                }
            }
        }
        from.deserialize_any(Any).map(OnePart)
    }
}
