//! The slots of a Cluster, after "Redis cluster specification".

use std::ops::RangeInclusive;

use redis::Value;

use super::sentinel::text;
use super::url::Address;

const SLOTS: u16 = 16384;

/// Slots, and the master that has them.
pub(super) struct Range {
    pub slots: RangeInclusive<u16>,
    pub node: Address,
}

/// The slot of a key: of what is in its first braces, if there is anything.
pub(super) fn slot_of(key: &[u8]) -> u16 {
    let after = |key: &[u8], byte| key.iter().position(|found| *found == byte);
    let tag = after(key, b'{').and_then(|open| key.get(open + 1..)).and_then(|rest| {
        let close = after(rest, b'}')?;
        rest.get(..close)
    });
    crc16(tag.filter(|tag| !tag.is_empty()).unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 })
    })
}

/// Reads the reply to CLUSTER SLOTS that the node at `asked` gave. A node
/// that does not know its own host leaves it out.
pub(super) fn ranges(reply: &Value, asked: &Address) -> Option<Vec<Range>> {
    let Value::Array(ranges) = reply else { return None };
    ranges.iter().map(|range| self::range(range, asked)).collect()
}

fn range(range: &Value, asked: &Address) -> Option<Range> {
    let Value::Array(parts) = range else { return None };
    let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = parts.as_slice() else { return None };
    let [host, Value::Int(port), ..] = master.as_slice() else { return None };
    let host = match (host, asked) {
        (Value::Nil, Address::Tcp { host, .. }) => host,
        (host, Address::Tcp { host: asked, .. }) if text(host)?.is_empty() => asked,
        (host, _) => text(host)?,
    };
    let node = Address::Tcp { host: host.to_owned(), port: u16::try_from(*port).ok()? };
    Some(Range { slots: u16::try_from(*first).ok()?..=u16::try_from(*last).ok()?, node })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        // As CLUSTER KEYSLOT says.
        for (key, slot) in [("foo", 12182), ("bar", 5061), ("", 0), ("{foo}.bar", 12182), ("a{foo}{bar}", 12182)] {
            assert_eq!(slot_of(key.as_bytes()), slot, "{key}");
        }
        assert_eq!(slot_of(b"{}foo"), crc16(b"{}foo") % SLOTS);
        assert_eq!(slot_of(b"}{foo"), crc16(b"}{foo") % SLOTS);
        assert_eq!(slot_of(b"foo{{bar}}zap"), crc16(b"{bar") % SLOTS);
    }

    #[test]
    fn a_map_is_read_with_the_hosts_that_nodes_leave_out() {
        let asked = Address::Tcp { host: "seed".into(), port: 1 };
        let host = |text: &str| Value::BulkString(text.into());
        let node = |host, port| Value::Array(vec![host, Value::Int(port), Value::BulkString(b"id".to_vec())]);
        let range = |first, last, node| Value::Array(vec![Value::Int(first), Value::Int(last), node]);
        let reply = Value::Array(vec![
            range(0, 9, node(host("10.0.0.1"), 7000)),
            range(10, 19, node(Value::Nil, 7001)),
            range(20, 16383, node(host(""), 7002)),
        ]);
        let ranges = ranges(&reply, &asked).expect("a map");
        let read: Vec<_> = ranges.iter().map(|range| (range.slots.clone(), range.node.to_string())).collect();
        let wanted = [(0..=9, "10.0.0.1:7000"), (10..=19, "seed:7001"), (20..=16383, "seed:7002")];
        assert_eq!(read, wanted.map(|(slots, node)| (slots, node.to_owned())));
        assert!(super::ranges(&Value::Array(vec![range(0, 70_000, node(host("h"), 1))]), &asked).is_none());
        assert!(super::ranges(&Value::Nil, &asked).is_none());
    }
}
