//! Hashes with the same result on every machine, for identities that outlive a process. They do not resist an attacker.

/// A hash of 32 bits for short identities in memory and in states; never 0.
pub(crate) fn hash_32(text: &str) -> u32 {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(last, &byte)| *last = byte);
    mix(words.iter().copied().fold(text.len() as u64, mix), last) as u32 | 1
}

const fn mix(hash: u64, word: [u8; 8]) -> u64 {
    // The multiplier is FNV's; the shift returns the high bits that it carried away.
    let hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x0100_0000_01b3);
    hash ^ hash >> 32
}

/// FNV-1a, 64 bits (draft-eastlake-fnv).
pub(crate) fn fnv1a_64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
