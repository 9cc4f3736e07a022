//! `linfa-bench ALGORITHM INPUT ROWS COLUMNS FIRST SECOND REPEAT OUTPUT`: fits `ALGORITHM` to
//! the little-endian f64 in `INPUT`, prints the seconds of each repeat, and writes what it
//! learned to `OUTPUT`, all f64. `FIRST` and `SECOND` are components and unused (pca, gmm) or
//! samples and radius (dbscan, dbscan-ball).

use std::env::args;
use std::error::Error;
use std::fs;
use std::time::Instant;

use linfa::prelude::*;
use linfa_clustering::{Dbscan, GaussianMixtureModel};
use linfa_nn::CommonNearestNeighbour::{self, BallTree, KdTree};
use linfa_nn::distance::L2Dist;
use linfa_reduction::Pca;
use ndarray::Array2;

type Learned = Result<Vec<f64>, Box<dyn Error>>;

fn mixture(x: &Array2<f64>, components: usize) -> Learned {
    // scikit-learn's defaults are linfa's, but for the ten starts of its K-means.
    let data = DatasetBase::from(x.view());
    let model = GaussianMixtureModel::params(components).fit(&data)?;
    let parts = model.weights().iter().chain(model.means()).chain(model.covariances());
    Ok(parts.copied().collect())
}

fn density(x: &Array2<f64>, samples: usize, radius: f64, tree: CommonNearestNeighbour) -> Learned {
    let dbscan = Dbscan::params_with(samples, L2Dist, tree).tolerance(radius).check()?;
    let label = |found: &Option<usize>| found.map_or(-1.0, |label| label as f64);
    Ok(dbscan.transform(x).iter().map(label).collect())
}

fn components(x: &Array2<f64>, count: usize) -> Learned {
    let data = DatasetBase::from(x.view());
    let pca = Pca::params(count).fit(&data)?;
    let parts = [pca.explained_variance(), pca.explained_variance_ratio()];
    let parts = parts.iter().flatten().chain(pca.components());
    Ok(parts.copied().collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = args().skip(1).collect();
    let [algorithm, input, rows, columns, first, second, repeat, output] = given.as_slice() else {
        return Err("eight arguments are needed".into());
    };
    let bytes = fs::read(input)?;
    let values = bytes.chunks_exact(8).map(|b| b.try_into().map(f64::from_le_bytes));
    let values = values.collect::<Result<Vec<f64>, _>>()?;
    let x = Array2::from_shape_vec((rows.parse()?, columns.parse()?), values)?;
    let (first, second): (usize, f64) = (first.parse()?, second.parse()?);
    let mut learned = Vec::new();
    for _ in 0..repeat.parse()? {
        let start = Instant::now();
        learned = match algorithm.as_str() {
            "gmm" => mixture(&x, first)?,
            "dbscan" => density(&x, first, second, KdTree)?,
            "dbscan-ball" => density(&x, first, second, BallTree)?,
            "pca" => components(&x, first)?,
            _ => return Err(format!("unknown algorithm {algorithm}").into()),
        };
        println!("{}", start.elapsed().as_secs_f64());
    }
    fs::write(output, learned.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())?;
    Ok(())
}
