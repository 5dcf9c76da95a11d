//! Times as Go writes them (RFC3339Nano in UTC, trailing zeros of the fraction trimmed). Never reads the
//! clock except in `now`.

use rustix::time::{ClockId, Timespec, clock_gettime};
use std::time::Duration;

/// An instant of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub seconds: i64,
    pub nanos: u32,
}

/// The wall clock.
pub fn now() -> Stamp {
    let time = clock_gettime(ClockId::Realtime);
    Stamp {
        seconds: time.tv_sec,
        nanos: u32::try_from(time.tv_nsec).unwrap_or(0),
    }
}

/// A duration as poll and epoll take it.
pub fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = civil(self.seconds.div_euclid(86_400));
        let second = self.seconds.rem_euclid(86_400);
        let (hour, minute) = (second / 3600, second / 60 % 60);
        write!(
            out,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}",
            second % 60
        )?;
        if self.nanos > 0 {
            let fraction = format!("{:09}", self.nanos);
            write!(out, ".{}", fraction.trim_end_matches('0'))?;
        }
        out.write_str("Z")
    }
}

/// The proleptic Gregorian date of a day number since 1970-01-01 (Howard Hinnant, "chrono-compatible
/// low-level date algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trims_the_fraction_as_go_does() {
        let stamp = |seconds, nanos| Stamp { seconds, nanos }.to_string();
        assert_eq!(stamp(0, 0), "1970-01-01T00:00:00Z");
        assert_eq!(stamp(1_709_210_096, 120_000_000), "2024-02-29T12:34:56.12Z");
        assert_eq!(stamp(1_735_689_599, 1), "2024-12-31T23:59:59.000000001Z");
        assert_eq!(stamp(4_102_444_800, 0), "2100-01-01T00:00:00Z");
        assert_eq!(stamp(-1, 999_999_999), "1969-12-31T23:59:59.999999999Z");
    }
}
