//! Pixels as numbers, looked up instead of computed.

use super::ImageShape;

/// What each of 256 bytes is in each colour: the value of the formula at [`ImageShape::mean`], bit for bit.
#[derive(Clone, Debug)]
pub struct PixelScale {
    shape: ImageShape,
    /// 256 values a colour.
    values: Vec<[f32; 256]>,
}

impl PixelScale {
    /// The values for images of a shape.
    #[must_use]
    pub fn new(shape: &ImageShape) -> Self {
        let of = |(&mean, &deviation): (&f32, &f32)| {
            std::array::from_fn(|byte| ImageShape::scaled(byte as u8, mean, deviation))
        };
        Self { values: shape.mean.iter().zip(&shape.deviation).map(of).collect(), shape: shape.clone() }
    }

    /// Whether these are the values for another shape, too.
    #[must_use]
    pub fn is_of(&self, shape: &ImageShape) -> bool {
        self.shape == *shape
    }

    /// Takes the values of one image's pixels, with their places, in order.
    pub fn each(&self, pixels: &[u8], mut take: impl FnMut(usize, f32)) {
        let plane = self.shape.height * self.shape.width;
        for (colour, (pixels, values)) in pixels.chunks(plane.max(1)).zip(&self.values).enumerate() {
            for (place, &pixel) in pixels.iter().enumerate() {
                take(colour * plane + place, values[usize::from(pixel)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Crop, Features, Samples};

    /// Bit for bit what a row of the image is, for every byte in every colour.
    #[test]
    fn looked_up_pixels_are_computed_ones() {
        let shape = ImageShape {
            channels: 3,
            height: 16,
            width: 16,
            mean: vec![0.0, 0.4914, -1.5],
            deviation: vec![1.0, 0.247, 3.0],
            augment: true,
        };
        let pixels: Vec<u8> = (0..3 * 256).map(|place| (place % 256) as u8).collect();
        let scale = PixelScale::new(&shape);
        let mut looked_up = Vec::new();
        scale.each(&pixels, |place, value| looked_up.push((place, value.to_bits())));
        let samples =
            Samples { features: Features::Images { shape: shape.clone(), pixels }, labels: vec![0] };
        let mut row = vec![0.0; 3 * 256];
        samples.write_row(0, Crop::default(), &mut row);
        assert!(looked_up.into_iter().eq(row.iter().map(|value| value.to_bits()).enumerate()));
        assert!(scale.is_of(&shape) && !scale.is_of(&ImageShape { mean: vec![0.0; 3], ..shape }));
    }
}
