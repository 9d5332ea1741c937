//! How does somebody who only changes a file that is encrypted with CBC have a reader tell what is in it?
//!
//! Decryption of a block gives `D(block) ^ the block before`. Where the content is known, so is `D`; such a block
//! can be given any content by the block (or IV) before it, which itself becomes random.

use super::der::tlv;

type Block = [u8; 16];

/// An EncryptedPrivateKeyInfo. Of its content, attackers use what `known` lists.
pub(crate) struct Target {
    algorithm: Vec<u8>,
    iv: Block,
    blocks: Vec<Block>,
    content: Vec<u8>,
}

impl Target {
    pub(crate) fn new(der: &[u8], iv: Block, content: &[u8]) -> Self {
        let padding = 16 - content.len() % 16;
        let content = [content, &vec![padding as u8; padding]].concat();
        let header = |length: usize| 1 + tlv(0, &[&vec![0; length]])[1..].len() - length;
        let (rest, data) = der.split_at(der.len() - content.len());
        let rest = &rest[..rest.len() - header(data.len())];
        let inner = if der[1] < 0x80 { 2 } else { 2 + usize::from(der[1] & 0x7f) };
        let blocks = data.as_chunks().0.to_vec();
        Self { algorithm: rest[inner..].to_vec(), iv, blocks, content }
    }

    /// The file with another IV and other blocks.
    pub(crate) fn file(&self, iv: Block, blocks: &[Block]) -> Vec<u8> {
        let mut algorithm = self.algorithm.clone();
        let at = algorithm.windows(16).position(|window| window == self.iv).unwrap();
        algorithm[at..at + 16].copy_from_slice(&iv);
        tlv(0x30, &[&algorithm, &tlv(0x04, &[blocks.as_flattened()])])
    }

    fn content(&self, index: usize) -> Block {
        self.content.as_chunks().0[index]
    }

    fn before(&self, index: usize) -> Block {
        index.checked_sub(1).map_or(self.iv, |before| self.blocks[before])
    }

    /// `D` of a block whose content is known.
    fn raw(&self, index: usize) -> Block {
        xor(self.content(index), self.before(index))
    }

    /// Files whose algorithm has 16 bytes of the key in its name, if the random bytes behind them fit.
    pub(crate) fn secrets_as_algorithm(&self, known: &[usize], rounds: u32) -> Vec<Vec<u8>> {
        let start = *b"\x30\x3d\x02\x01\x00\x30\x29\x06\x27\x2a\x03\x04\x05\x06\x07\x08";
        let mut end = *b"\x04\x0d.............\x01";
        let mut files = Vec::new();
        for round in 0..rounds {
            end[2..6].copy_from_slice(&round.to_be_bytes());
            let random = xor(end, self.raw(0));
            for &first in known {
                for secret in 1..self.blocks.len() - 3 {
                    let blocks = [self.blocks[first], self.blocks[secret], random, self.blocks[0]];
                    files.push(self.file(xor(start, self.raw(first)), &blocks));
                }
            }
        }
        files
    }

    /// Files whose padding and outer length are right only if the last byte of `D` of a block of the key is
    /// `guess ^ 1`.
    pub(crate) fn secret_as_padding(&self, secret: usize, guess: u8) -> Vec<u8> {
        let start = [&[0x30, 45][..], &[0; 14]].concat().try_into().unwrap();
        self.file(xor(start, self.raw(0)), &[self.blocks[0], ending(guess), self.blocks[secret]])
    }

    /// The same around a complete key. The content is a signing key of 20 + 80 bytes and then attributes: of
    /// its scalar one block becomes random, and of its attributes the value holds the secret block.
    pub(crate) fn secret_as_padding_of_a_key(&self, secret: usize, guess: u8) -> Vec<u8> {
        let mut start = self.content(0);
        start[..3].copy_from_slice(&[0x30, 0x81, 0x8c]);
        let mut attributes = self.content(6);
        attributes[4..].copy_from_slice(b"\xa0\x29\x30\x27\x06\x03\x55\x04\x03\x31\x20\0");
        let mut blocks = self.blocks[..7].to_vec();
        blocks[5] = xor(attributes, self.raw(6));
        blocks.extend([ending(guess), self.blocks[secret]]);
        self.file(xor(start, self.raw(0)), &blocks)
    }

    /// Whether the guess is right.
    pub(crate) fn is_right(&self, secret: usize, guess: u8) -> bool {
        guess ^ 1 == self.raw(secret)[15]
    }
}

fn ending(byte: u8) -> Block {
    let mut block = [0; 16];
    block[15] = byte;
    block
}

fn xor(mut a: Block, b: Block) -> Block {
    a.iter_mut().zip(b).for_each(|(a, b)| *a ^= b);
    a
}
