"""What real modems do (the notes that this side was built from), and which test holds each line of it."""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TRANSCRIPTS = HERE.parents[1] / "transcripts"

# Number of the note, what it says, and its tests: functions of this folder, or dialogues in tests/transcripts.
NOTES: list[tuple[int, str, tuple[str, ...]]] = [
    (
        1,
        "the prompt lacks its space or stands on a line of its own",
        ("test_every_shape_of_prompt_is_seen", "test_a_prompt_may_stand_on_a_line_of_its_own"),
    ),
    (
        2,
        "a prompt that never comes is left with ESC, never Ctrl-Z",
        ("test_a_prompt_that_never_comes_is_left_with_esc_and_never_with_ctrl_z",),
    ),
    (
        3,
        "AT+CMGS and its PDU are one critical section",
        ("test_nothing_is_ever_written_between_a_command_and_its_pdu",),
    ),
    (
        4,
        "no answer, EIO, a restart, CMS 500 and 38 are unknown outcomes",
        (
            "test_the_outcome_is_what_is_known",
            "test_no_answer_to_a_pdu_is_unknown_and_without_a_pdu_nothing_was_submitted",
            "test_a_network_that_lost_sight_of_the_part_leaves_it_unknown",
            "test_a_cause_that_is_not_known_to_be_harmless_leaves_it_unknown",
        ),
    ),
    (
        5,
        "a late answer is never the next command's",
        (
            "test_a_late_answer_is_never_taken_for_the_next_command",
            "test_a_late_reference_is_not_taken_for_another_submission",
            "test_a_late_reference_takes_its_final_result_along",
            "test_a_late_answer_is_nobody_elses_however_slow_the_modem_is",
            "test_every_command_of_a_slow_modem_gets_its_own_answer",
            "test_a_slow_modem_that_keeps_what_is_typed_meanwhile_is_understood",
        ),
    ),
    (6, "deadlines are fixed", ("test_notices_do_not_prolong_a_deadline",)),
    (
        7,
        "notices between a command and its answer, with the same prefix",
        ("test_notices_anywhere_never_change_an_answer", "test_the_answer_is_told_from_a_notice_with_the_same_prefix"),
    ),
    (
        8,
        "a notice right behind OK, notices of two lines split over reads",
        (
            "test_a_notice_between_a_command_and_its_answer_is_told_apart",
            "test_a_notice_of_two_lines_may_be_split_anywhere",
        ),
    ),
    (
        9,
        "line ends, blank lines, echo that stays",
        (
            "test_any_run_of_line_ends_separates_lines",
            "test_blank_lines_do_not_lose_the_reference",
            "test_an_echo_that_stays_is_no_restart",
        ),
    ),
    (
        10,
        "other final results, words, busy, +CPIN without OK",
        (
            "test_every_kind_of_refusal_ends_the_command_in_words",
            "test_a_cause_in_words_is_the_same_as_its_number",
            "test_a_busy_modem_is_asked_again_and_the_mark_is_made_once",
            "test_a_pin_answer_without_its_ok_is_complete_after_a_moment",
            "plain/wavecom_answers_pin_without_ok.txt",
        ),
    ),
    (
        11,
        "the first command after boot or idle is lost",
        (
            "test_a_first_command_that_is_lost_is_made_good",
            "test_an_error_in_answer_to_at_asks_once_more",
            "test_after_a_pause_an_at_goes_before_the_submission_and_not_into_it",
            "test_an_at_that_a_sleeping_modem_lost_is_no_trouble_and_the_submission_follows_it",
            "test_a_modem_that_sleeps_whenever_it_is_left_alone_stays_ready_and_sends",
        ),
    ),
    (
        12,
        "<ds> falls back 1, 2, 0; the fifth value may have to be 1",
        (
            "test_reports_come_whatever_the_modem_wants_for_them",
            "test_reports_that_never_come_directly_are_had_stored",
            "cinterion/phs8_has_no_reports.txt",
        ),
    ),
    (
        13,
        "AT+CSMS=1, and then AT+CNMA for every one, decodable or not",
        (
            "test_every_direct_report_is_acknowledged_where_the_modem_wants_it",
            "test_a_report_that_cannot_be_decoded_is_acknowledged_too",
            "plain/direct_messages_only.txt",
        ),
    ),
    (
        14,
        "EC25 keeps reports in SR and announces SM",
        ("test_a_stored_report_is_found_wherever_it_is_kept", "quectel/ec25_report_in_sr_announced_as_sm.txt"),
    ),
    (
        15,
        "no reference, 0, wrap-around, a report before the answer",
        (
            "test_a_missing_reference_is_said_to_be_missing",
            "test_references_are_believed_only_where_counting_leads_to_them",
            "test_a_report_before_its_reference_is_told_as_a_notice",
        ),
    ),
    (16, "+CDS is told apart in PDU mode", ("test_a_direct_report_needs_no_command_in_phase_2",)),
    (
        17,
        "another store than the selected one, indexes from 0",
        (
            "test_a_message_kept_in_another_store_than_the_selected_one_is_found",
            "test_what_was_stored_while_nobody_listened_is_read_at_the_start",
        ),
    ),
    (
        18,
        "a full store says nothing but that it is full",
        (
            "test_a_full_store_is_emptied_and_the_network_delivers_again",
            "test_a_message_that_no_notice_announced_is_found_by_the_timer",
        ),
    ),
    (
        19,
        "CMGL hangs, an empty slot answers bare OK, nothing is deleted before it is durable",
        (
            "test_a_listing_that_hangs_is_given_up_and_the_store_is_read_one_by_one",
            "test_an_empty_slot_answers_a_bare_ok_and_the_stores_are_searched",
            "test_a_message_is_deleted_only_after_the_agent_has_it",
        ),
    ),
    (20, "malformed PDUs are real", ("test_a_malformed_message_is_handed_over_as_it_came_and_blocks_nothing",)),
    (
        21,
        "a restart loses echo, CMGF, CNMI; SMS not ready yet",
        (
            "test_a_restart_ends_the_command_in_flight_at_once",
            "test_an_echo_that_is_back_means_a_restart_and_no_pdu_goes_out",
            "test_a_modem_that_restarts_or_hangs_while_idle_comes_back",
            "test_settings_are_restored_before_anything_else_when_the_dialogue_was_out_of_step",
            "test_a_sim_that_is_busy_after_boot_is_waited_for",
        ),
    ),
    (
        22,
        "USB comes back under another number",
        (
            "test_a_modem_that_comes_back_on_another_port_keeps_its_span",
            "test_serial_ports_of_usb_devices_are_found_by_their_stable_name",
            "test_a_port_that_goes_away_is_told_once_and_closed",
        ),
    ),
    (
        23,
        "ModemManager owns the port",
        (
            "test_modem_manager_is_named_with_its_remedy",
            "test_a_port_that_another_program_has_for_itself_is_left_to_it_even_by_root",
        ),
    ),
    (24, "a wrong PIN is never tried again", ("test_a_wrong_pin_is_entered_once_and_never_again",)),
]


def written() -> set[str]:
    """Every test function of this folder."""
    trees = [ast.parse(path.read_text()) for path in HERE.glob("test_*.py")]
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_note_is_here() -> None:
    assert [number for number, _, _ in NOTES] == list(range(1, 25))


@pytest.mark.parametrize(("number", "says", "tests"), NOTES, ids=lambda value: str(value)[:30])
def test_the_tests_of_a_note_exist(number: int, says: str, tests: tuple[str, ...]) -> None:
    functions = written()
    missing = [test for test in tests if test not in functions and not (TRANSCRIPTS / test).is_file()]
    assert not missing, f"note {number} ({says})"
