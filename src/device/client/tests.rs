use holdfast_agent::fixture::tiny;
use proptest::prelude::*;

use super::*;
use crate::device::local::LocalAgent;

const MS: u64 = 1_000_000;

fn clock() -> Box<dyn FnMut() -> u64 + Send> {
    let mut now = 0;
    Box::new(move || {
        now += 10;
        now
    })
}

fn device() -> LocalAgent {
    LocalAgent::new(tiny(8, 1), None, None, 1, clock()).unwrap()
}

fn request(request: u32, max_tokens: u16) -> Generation<'static> {
    Generation {
        request,
        prompt: Prompt::Text("the"),
        max_tokens,
        temperature_milli: 900,
        seed: 4,
        ignore_eos: true,
        add_bos: true,
    }
}

/// Runs both ends for `rounds` of 20 ms; `harm` may change what travels.
fn converse(
    client: &mut Client,
    device: &mut LocalAgent,
    rounds: u64,
    mut harm: impl FnMut(u64, Vec<u8>) -> Vec<u8>,
) -> Vec<Event> {
    let mut events = vec![];
    for round in 0..rounds {
        let now = round * 20 * MS;
        device.write(&harm(2 * round, client.take()));
        for _ in 0..3 {
            device.step();
        }
        events.extend(client.feed(&harm(2 * round + 1, device.read()), now));
        events.extend(client.poll(now));
    }
    events
}

fn tokens(events: &[Event]) -> Vec<(u16, u32)> {
    let token = |event: &Event| match event {
        Event::Token { index, id, .. } => Some((*index, *id)),
        _ => None,
    };
    events.iter().filter_map(token).collect()
}

fn clean(max_tokens: u16) -> Vec<(u16, u32)> {
    let (mut client, mut device) = (Client::new(Settings::default()), device());
    client.generate(&request(1, max_tokens), 0);
    tokens(&converse(&mut client, &mut device, 100, |_, bytes| bytes))
}

#[test]
fn a_clean_link_needs_no_repetition() {
    let (mut client, mut device) = (Client::new(Settings::default()), device());
    client.hello(0);
    client.generate(&request(1, 12), 0);
    let events = converse(&mut client, &mut device, 100, |_, bytes| bytes);
    assert_eq!(tokens(&events).len(), 12);
    assert!(matches!(events.last(), Some(Event::End { digest_matches: true, .. })));
    let statistics = client.statistics();
    assert_eq!(
        (statistics.repeated_commands, statistics.resumes, statistics.lost_frames),
        (0, 0, 0)
    );
    assert_eq!(client.deadline(), None);
}

#[test]
fn a_reset_is_told_with_the_requests_it_cost() {
    let (mut client, mut device) = (Client::new(Settings::default()), device());
    client.hello(0);
    client.generate(&request(9, 40), 0);
    converse(&mut client, &mut device, 4, |_, bytes| bytes);
    device.reset();
    let events = converse(&mut client, &mut device, 4, |_, bytes| bytes);
    let lost = vec![9];
    let expected = Event::Reboot { boot_id: 2, previous_boot_id: 1, lost_requests: lost };
    assert_eq!(events[0], expected);
    assert_eq!(client.statistics().reboots, 1);
}

#[test]
fn silence_ends_in_a_timeout_after_all_attempts() {
    let mut client = Client::new(Settings { attempts: 3, ..Settings::default() });
    let sequence = client.hello(0);
    let mut sent = 0;
    let mut events = vec![];
    for second in 0..10 {
        sent += usize::from(!client.take().is_empty());
        events.extend(client.poll(second * 1000 * MS));
    }
    assert_eq!(sent, 3);
    assert_eq!(events, [Event::Timeout { sequence, command: 1 }]);
}

#[test]
fn a_model_is_uploaded_over_a_link_that_loses_a_fifth_of_the_messages() {
    let mut device = LocalAgent::new(vec![], None, None, 1, clock()).unwrap();
    let settings = Settings { reply_timeout: 60 * MS, attempts: 20, ..Settings::default() };
    let mut client = Client::new(settings);
    client.upload(tiny(8, 1), 0);
    let events = converse(&mut client, &mut device, 5000, |index, bytes| {
        if ((index * 2_654_435_761) >> 9) % 5 == 4 { vec![] } else { bytes }
    });
    assert!(matches!(events.last(), Some(Event::Model { vocabulary: 267, .. })));
    client.generate(&request(1, 12), 0);
    let events = converse(&mut client, &mut device, 100, |_, bytes| bytes);
    assert_eq!(tokens(&events), clean(12));
}

#[test]
fn narrow_clocks_are_widened() {
    let mut client = Client::new(Settings::default());
    client.clock_bits = 32;
    let near = (1_u64 << 32) - 5;
    assert_eq!(client.widen(near - (1 << 31)), near - (1 << 31));
    assert_eq!(client.widen(near), near);
    assert_eq!(client.widen(10), (1 << 32) + 10);
    // A record sent again lies in the past.
    assert_eq!(client.widen(near), near);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    /// Drops, cuts and flipped bits in both directions: nothing wrong is delivered, and
    /// once the link is sound again everything arrives.
    #[test]
    fn no_record_is_wrong_and_none_is_lost(
        harms in prop::collection::vec((0_u8..8, any::<prop::sample::Index>(), 0_u8..8), 40),
        max_tokens in 1_u16..40,
    ) {
        let (mut client, mut device) = (Client::new(Settings {
            reply_timeout: 100 * MS, attempts: 40, stall: 100 * MS,
        }), device());
        client.generate(&request(1, max_tokens), 0);
        let events = converse(&mut client, &mut device, 400, |index, mut bytes| {
            let Some(&(harm, at, bit)) = harms.get(index as usize) else { return bytes };
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                match harm {
                    0 => bytes.clear(),
                    1 => bytes.truncate(at),
                    2 => bytes[at] ^= 1 << bit,
                    3 => bytes.insert(at, bit),
                    4 => { bytes.drain(..at); }
                    _ => {}
                }
            }
            bytes
        });
        prop_assert_eq!(tokens(&events), clean(max_tokens));
        let ended = matches!(events.last(), Some(Event::End { digest_matches: true, .. }));
        prop_assert!(ended);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let mut client = Client::new(Settings::default());
        prop_assert!(client.feed(&bytes, 0).is_empty());
    }
}
