//! Finite fields of few elements, for Latin squares.

/// The field of l elements. Element number x stands for the polynomial whose coefficients are the digits of x in
/// base p; with l prime that is the number x itself.
#[derive(Clone, Debug)]
pub(super) struct Field {
    elements: usize,
    characteristic: usize,
    /// `products[x · l + y]`.
    products: Vec<usize>,
}

impl Field {
    /// The field of so many elements; `None` where their number is no power of a prime.
    pub(super) fn new(elements: usize) -> Option<Self> {
        let characteristic = (2..=elements).find(|p| elements % p == 0)?;
        let mut degree = 0;
        let mut left = elements;
        while left % characteristic == 0 {
            left /= characteristic;
            degree += 1;
        }
        if left != 1 {
            return None;
        }
        // Of the polynomials x^degree + … the first modulo which no two products of others than 0 are 0: it is
        // irreducible, and there is one of every degree.
        (0..elements).find_map(|rest| {
            let field = Self::modulo(elements, characteristic, degree, rest);
            let mut others = (1..elements).flat_map(|x| (1..elements).map(move |y| (x, y)));
            others.all(|(x, y)| field.times(x, y) != 0).then_some(field)
        })
    }

    /// Polynomials over the integers modulo p, modulo x^degree + the polynomial number `rest`.
    fn modulo(elements: usize, p: usize, degree: u32, rest: usize) -> Self {
        let mut field = Self { elements, characteristic: p, products: Vec::new() };
        let top = elements / p;
        let scaled = |x: usize, by: usize| (0..by).fold(0, |sum, _| field.plus(sum, x));
        // x^degree = −rest.
        let shifted = |x: usize| field.plus(x % top * p, scaled(rest, (p - x / top) % p));
        let product = |x: usize, y: usize| {
            (0..degree).rev().fold(0, |sum, place| {
                let digit = y / p.pow(place) % p;
                field.plus(shifted(sum), scaled(x, digit))
            })
        };
        let products = (0..elements).flat_map(|x| (0..elements).map(move |y| (x, y)));
        field.products = products.map(|(x, y)| product(x, y)).collect();
        field
    }

    /// The sum of two elements: digit by digit.
    pub(super) fn plus(&self, x: usize, y: usize) -> usize {
        let p = self.characteristic;
        let (mut sum, mut place) = (0, 1);
        while place < self.elements {
            sum += (x / place + y / place) % p * place;
            place *= p;
        }
        sum
    }

    /// The product of two elements.
    pub(super) fn times(&self, x: usize, y: usize) -> usize {
        self.products[x * self.elements + y]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The axioms, in every field that a construction can use; and nothing where there is no field.
    #[test]
    fn the_powers_of_primes_have_fields_and_no_other_number_has() {
        let sizes: Vec<usize> = (0..=64).filter(|&l| Field::new(l).is_some()).collect();
        let powers = [2, 3, 4, 5, 7, 8, 9, 11, 13, 16, 17, 19, 23, 25, 27, 29, 31, 32, 37, 41, 43, 47, 49];
        assert_eq!(sizes, [&powers[..], &[53, 59, 61, 64]].concat());
        for l in [2, 4, 7, 8, 9, 16, 25, 27] {
            let Some(field) = Field::new(l) else { panic!("{l} is a power of a prime") };
            for x in 0..l {
                assert_eq!((field.plus(x, 0), field.times(x, 1), field.times(0, x)), (x, x, 0));
                for y in 0..l {
                    assert_eq!(field.times(x, y), field.times(y, x));
                    assert_eq!(field.plus(x, y), field.plus(y, x));
                    for z in 0..l {
                        let left = field.times(x, field.plus(y, z));
                        assert_eq!(left, field.plus(field.times(x, y), field.times(x, z)));
                        assert_eq!(field.times(x, field.times(y, z)), field.times(field.times(x, y), z));
                    }
                }
            }
            let inverses = (1..l).filter(|&x| (1..l).any(|y| field.times(x, y) == 1));
            assert_eq!(inverses.count(), l - 1);
        }
    }
}
