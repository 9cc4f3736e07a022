//! Moments in UTC as RFC 3339 writes them.

use std::time::Duration;

const DAY: u64 = 86_400;

/// Year, month and day of a day counted from 1970-01-01 (H. Hinnant,
/// *chrono-compatible low-level date algorithms*, `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

fn digits<const N: usize>(out: &mut [u8], mut number: u64) {
    for slot in out[..N].iter_mut().rev() {
        *slot = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Appends `2026-11-21T08:00:00.123456Z`.
pub(super) fn push_rfc3339(out: &mut Vec<u8>, since_epoch: Duration) {
    let seconds = since_epoch.as_secs();
    let (year, month, day) = civil(seconds / DAY);
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    digits::<4>(&mut text, year);
    digits::<2>(&mut text[5..], month);
    digits::<2>(&mut text[8..], day);
    let of_day = seconds % DAY;
    digits::<2>(&mut text[11..], of_day / 3600);
    digits::<2>(&mut text[14..], of_day / 60 % 60);
    digits::<2>(&mut text[17..], of_day % 60);
    digits::<6>(&mut text[20..], u64::from(since_epoch.subsec_micros()));
    out.extend_from_slice(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfc3339(seconds: u64, nanos: u32) -> String {
        let mut out = Vec::new();
        push_rfc3339(&mut out, Duration::new(seconds, nanos));
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn moments_are_those_of_date() {
        // `date -u -d @N +%FT%TZ`
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000001Z"),
            (951_782_399, "2000-02-28T23:59:59.000001Z"),
            (951_782_400, "2000-02-29T00:00:00.000001Z"),
            (1_709_251_199, "2024-02-29T23:59:59.000001Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000001Z"),
            (253_402_300_799, "9999-12-31T23:59:59.000001Z"),
        ] {
            assert_eq!(rfc3339(seconds, 1_999), text);
        }
    }
}
