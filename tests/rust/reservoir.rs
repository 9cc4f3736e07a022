use holdfast::linalg::simd::Level;
use holdfast::reservoir::{Network, ReservoirError, echo_state_weights, input_weights};
use holdfast::series::Series;
use holdfast::task::{Stopped, Task};
use ndarray::{Array2, array};

fn network(task: &Task) -> Network<f64> {
    let recurrent = echo_state_weights(20, 0.9, 0.5, 1, Level::current(), task).unwrap();
    Network::new(input_weights(20, 2, 1.0, 1).view(), recurrent.view()).with(0.3, 0.0)
}

#[test]
fn a_series_has_the_same_states_alone_and_in_company() {
    let task = Task::new();
    let network = network(&task);
    let values = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [-1.0, 0.5]];
    let states = |rows: &Array2<f64>, lengths: &[usize]| {
        let series = Series::new(rows.view(), lengths).unwrap();
        network.states(&series, 1, Level::current(), &task).unwrap()
    };
    let together = states(&values, &[1, 3]);
    let alone = states(&values.slice(ndarray::s![1.., ..]).to_owned(), &[3]);
    assert_eq!(together[20..], alone);
}

#[test]
fn a_stopped_task_ends_without_a_result() {
    let task = Task::new();
    let network = network(&task);
    task.stop();
    let values = Array2::zeros((10, 2));
    let series = Series::new(values.view(), &[10]).unwrap();
    let result = network.states(&series, 1, Level::current(), &task);
    assert!(matches!(result, Err(ReservoirError::Stopped(Stopped))));
}
