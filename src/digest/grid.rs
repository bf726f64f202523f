//! Maps values to cells and cells to values. It stores no weights.

/// A division of the axis of values into cells. There are two, and their keys are part of the serialized form.
pub trait Grid: sealed::Sealed {
    /// The cell of a finite, non-negative value: 0 for zero, at most [`LAST_CELL`].
    #[doc(hidden)]
    fn key(value: f64) -> u16;

    /// The representative value of a cell.
    #[doc(hidden)]
    fn value(key: u16) -> f64;

    /// The maximum distance of a value from its representative, after cells were merged `level` times.
    #[doc(hidden)]
    fn error(level: u8) -> f64;

    /// The tag that distinguishes the grids in serialized digests.
    #[doc(hidden)]
    const TAG: u8;
}

mod sealed {
    #[allow(unnameable_types)] // no other crate implements grids
    pub trait Sealed {}
    impl Sealed for super::LogGrid {}
    impl Sealed for super::LinearGrid {}
}

/// 64 cells per octave, for values that differ by orders of magnitude. It distinguishes values from 2⁻²⁰ (about 1e-6)
/// to 2⁴³ (about 9e12), and zero has its own cell; other values go to the nearest cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogGrid;

/// Cells of width 0.1, for values with a fixed scale, such as ratings from 0 to 100. Zero has its own cell; values
/// above 403.2 go to the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinearGrid;

/// Bits of the mantissa that distinguish cells.
const MANTISSA_BITS: u32 = 6;
const SHIFT: u32 = f64::MANTISSA_DIGITS - 1 - MANTISSA_BITS;
/// The key of 2⁻²⁰, where cell 1 begins.
const FIRST: u64 = (1023 - 20) << MANTISSA_BITS;
/// The last cell: the octave below 2⁴³ ends here.
pub(super) const LAST_CELL: u16 = 63 << MANTISSA_BITS;
/// At this level all cells but that of zero are one.
pub(super) const LAST_LEVEL: u8 = 12;

/// The representative of the 2^`level` cells that are merged with this one: the last of their lower half. Merging
/// merged cells again gives the same result as merging at once.
pub(super) fn joined(key: u16, level: u8) -> u16 {
    if key == 0 || level == 0 {
        return key;
    }
    let level = level.min(LAST_LEVEL);
    let first = ((key - 1) >> level) << level;
    (first + (1 << (level - 1))).min(LAST_CELL)
}

impl LogGrid {
    /// 2⁻²⁰.
    pub(super) const SMALLEST: f64 = 1.0 / 1_048_576.0;
    /// 2⁴³.
    pub(super) const LARGEST: f64 = 8_796_093_022_208.0;
}

impl LinearGrid {
    /// The end of the last cell.
    pub(super) const LARGEST: f64 = LAST_CELL as f64 / 10.0;
}

impl Grid for LogGrid {
    const TAG: u8 = 0;

    fn key(value: f64) -> u16 {
        if value == 0.0 {
            return 0;
        }
        ((value.to_bits() >> SHIFT).saturating_sub(FIRST) + 1).min(u64::from(LAST_CELL)) as u16
    }

    /// The value with the same relative distance from both ends of the cell: 2ab/(a+b).
    fn value(key: u16) -> f64 {
        if key == 0 {
            return 0.0;
        }
        let key = FIRST + u64::from(key) - 1;
        let (low, high) = (f64::from_bits(key << SHIFT), f64::from_bits((key + 1) << SHIFT));
        2.0 * low * high / (low + high)
    }

    fn error(level: u8) -> f64 {
        if level == 0 {
            return 1.0 / 129.0;
        }
        // Computed for the first cells of the lowest octave, which are the widest in proportion; after more than six
        // merges a cell is wider than an octave.
        let half = f64::from(1_u32 << (level.min(LAST_LEVEL) - 1));
        let wide = 2.0 * half;
        if wide > 64.0 {
            return f64::INFINITY;
        }
        // The representative is that of the last cell of the lower half.
        let (low, high) = (63.0 + half, 64.0 + half);
        let representative = 2.0 * low * high / (low + high);
        (1.0 - representative / (64.0 + wide)).max(representative / 64.0 - 1.0)
    }
}

impl Grid for LinearGrid {
    const TAG: u8 = 1;

    fn key(value: f64) -> u16 {
        if value == 0.0 {
            return 0;
        }
        (value * 10.0).min(f64::from(LAST_CELL - 1)) as u16 + 1
    }

    fn value(key: u16) -> f64 {
        key.checked_sub(1).map_or(0.0, |above| (f64::from(above) + 0.5) / 10.0)
    }

    fn error(level: u8) -> f64 {
        if level == 0 { 0.05 } else { (f64::from(1_u32 << (level.min(LAST_LEVEL) - 1)) + 0.5) / 10.0 }
    }
}
