//! Quantiles of buckets and of sorted samples, as Prometheus interpolates them.

/// The `q`-quantile of cumulative `(upper bound, count)` buckets in ascending order.
///
/// Linear inside a bucket, from 0 in the first one; the last finite bound when the
/// quantile lies beyond it; NaN without observations or without a bucket for infinity.
pub fn bucket_quantile(q: f64, buckets: &[(f64, f64)]) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if !(0.0..=1.0).contains(&q) {
        return if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let mut cumulative: Vec<(f64, f64)> = Vec::with_capacity(buckets.len());
    for &(bound, count) in buckets {
        match cumulative.last_mut() {
            Some(last) if last.0.total_cmp(&bound).is_eq() => last.1 += count,
            // Buckets read at slightly different times may go down.
            Some(&mut (_, before)) => cumulative.push((bound, count.max(before))),
            None => cumulative.push((bound, count)),
        }
    }
    let Some((&(last_bound, total), finite)) = cumulative.split_last() else { return f64::NAN };
    if last_bound != f64::INFINITY || finite.is_empty() || total == 0.0 || total.is_nan() {
        return f64::NAN;
    }
    let rank = q * total;
    let at = finite.partition_point(|&(_, count)| count < rank);
    let Some(&(end, count)) = finite.get(at) else { return finite[finite.len() - 1].0 };
    if at == 0 {
        return if end <= 0.0 { end } else { end * (rank / count) };
    }
    let (start, before) = finite[at - 1];
    start + (end - start) * ((rank - before) / (count - before))
}

/// The `q`-quantile of `sorted`, interpolated between the two nearest ranks.
pub fn sorted_quantile(q: f64, sorted: &[f64]) -> f64 {
    if sorted.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if !(0.0..=1.0).contains(&q) {
        return if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let rank = q * (sorted.len() - 1) as f64;
    let lower = rank.floor() as usize;
    let upper = (lower + 1).min(sorted.len() - 1);
    let weight = rank - rank.floor();
    sorted[lower] * (1.0 - weight) + sorted[upper] * weight
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKETS: [(f64, f64); 3] = [(1.0, 2.0), (2.0, 6.0), (f64::INFINITY, 8.0)];

    #[test]
    fn a_quantile_lies_linearly_inside_its_bucket() {
        for (q, expected) in [(0.0, 0.0), (0.125, 0.5), (0.25, 1.0), (0.5, 1.5), (0.99, 2.0)] {
            assert!((bucket_quantile(q, &BUCKETS) - expected).abs() < 1e-12, "{q}");
        }
        assert!(bucket_quantile(2.0, &BUCKETS).is_infinite());
        assert!(bucket_quantile(-1.0, &BUCKETS) < f64::MIN);
    }

    #[test]
    fn nothing_observed_has_no_quantile() {
        assert!(bucket_quantile(0.5, &[]).is_nan());
        assert!(bucket_quantile(0.5, &[(1.0, 2.0)]).is_nan());
        assert!(bucket_quantile(0.5, &[(1.0, 0.0), (f64::INFINITY, 0.0)]).is_nan());
        assert!(sorted_quantile(0.5, &[]).is_nan());
    }
}
