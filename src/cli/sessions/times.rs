//! Times as people say them.

/// How long ago `then` was: "3h ago".
pub fn age(then: f64, now: f64) -> String {
    format!("{} ago", span(now - then))
}

/// How far ahead `then` is: "in 18m".
pub fn ahead(then: f64, now: f64) -> String {
    format!("in {}", span(then - now))
}

/// A time in its largest unit, rounded down: what is shown as "2h" is at least that.
fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_its_largest_unit() {
        for (seconds, said) in [
            (-5.0, "0s"),
            (0.9, "0s"),
            (59.9, "59s"),
            (60.0, "1m"),
            (3599.0, "59m"),
            (3600.0, "1h"),
            (172_799.0, "47h"),
            (172_800.0, "2d"),
            (f64::INFINITY, "213503982334601d"),
        ] {
            assert_eq!(ahead(1000.0 + seconds, 1000.0), format!("in {said}"), "{seconds}");
        }
        assert_eq!(age(1000.0, 1120.0), "2m ago");
    }
}
