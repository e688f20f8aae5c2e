(** What is proved, printed: each statement, and what it rests on. scripts/test-coq compares with theorems.txt. *)
From Coq Require Import ZArith NArith.
From Election Require Import Count Definitions Margin Sides EvenPartitions Erasures TieRules Holders Algorithm1 Gluing Disjoint Beside
  FewestOnes SplitAveraging TwoRows Errata TwoSided Reactive PB Kernel Formula Shapes Enumerate Replay GluingCheck Tally Checker Distortion Domains DomainCheck Fewest Independence.

(* condition.md *)
Check theorem_1_message.
Print Assumptions theorem_1_message.
Check theorem_1.
Print Assumptions theorem_1.
Check radius_is_smallest_margin.
Print Assumptions radius_is_smallest_margin.
Check tolerant_exactly_iff.
Print Assumptions tolerant_exactly_iff.
Check radius_at_most.
Print Assumptions radius_at_most.
(* errors.md *)
Check erasures.
Print Assumptions erasures.
Check erasures_from_radius.
Print Assumptions erasures_from_radius.
Check erasures_exact.
Print Assumptions erasures_exact.
Check theorem_17a.
Print Assumptions theorem_17a.
Check theorem_17b.
Print Assumptions theorem_17b.
Check theorem_17c.
Print Assumptions theorem_17c.
Check erasures_radius.
Print Assumptions erasures_radius.
(* condition.md *)
Check theorem_2.
Print Assumptions theorem_2.
Check theorem_2_leads.
Print Assumptions theorem_2_leads.
Check theorem_3.
Print Assumptions theorem_3.
Check theorem_3_leads.
Print Assumptions theorem_3_leads.
(* condition.md: the paper's Lemma 2 *)
Check lemma_2_odd.
Print Assumptions lemma_2_odd.
Check lemma_2_even.
Print Assumptions lemma_2_even.
Check lemma_2_is_false_for_n_even.
Print Assumptions lemma_2_is_false_for_n_even.
Check lemma_2_is_false_for_two_workers.
Print Assumptions lemma_2_is_false_for_two_workers.
(* condition.md: an even number of partitions *)
Check theorem_4a.
Print Assumptions theorem_4a.
Check theorem_4b.
Print Assumptions theorem_4b.
Check theorem_4c.
Print Assumptions theorem_4c.
(* ties.md *)
Check adversarial_hardest.
Print Assumptions adversarial_hardest.
Check zero_is_adversarial.
Print Assumptions zero_is_adversarial.
Check one_is_adversarial.
Print Assumptions one_is_adversarial.
Check one_implies_abstain.
Print Assumptions one_implies_abstain.
Check even_k_odd_n.
Print Assumptions even_k_odd_n.
Check even_k_one_is_adversarial.
Print Assumptions even_k_one_is_adversarial.
Check theorem_5_counterexamples.
Print Assumptions theorem_5_counterexamples.
(* bounds.md *)
Check theorem_6.
Print Assumptions theorem_6.
Check holders.
Print Assumptions holders.
Check redundancy_bound.
Print Assumptions redundancy_bound.
Check two_sided.
Print Assumptions two_sided.
(* algorithm1.md *)
Check theorem_8.
Print Assumptions theorem_8.
(* lighter.md *)
Check local_condition.
Print Assumptions local_condition.
Check local_condition_needed.
Print Assumptions local_condition_needed.
Check gluing.
Print Assumptions gluing.
Check fits_counting.
Print Assumptions fits_counting.
Check fits_whole.
Print Assumptions fits_whole.
Check check_gluing_sound.
Print Assumptions check_gluing_sound.
Check disjoint_rows.
Print Assumptions disjoint_rows.
Check beside_disjoint_rows.
Print Assumptions beside_disjoint_rows.
Check resizing.
Print Assumptions resizing.
(* bounds.md *)
Check lemma_10a.
Print Assumptions lemma_10a.
Check lemma_10a_all.
Print Assumptions lemma_10a_all.
Check lemma_10b.
Print Assumptions lemma_10b.
Check averaging.
Print Assumptions averaging.
Check theorem_11.
Print Assumptions theorem_11.
Check split_averaging.
Print Assumptions split_averaging.
Check split_winning_empty.
Print Assumptions split_winning_empty.
Check split_winning_single.
Print Assumptions split_winning_single.
Check theorem_12.
Print Assumptions theorem_12.
Check theorem_13.
Print Assumptions theorem_13.
Check theorem_13_attained.
Print Assumptions theorem_13_attained.
(* reactive.md *)
Check accepted_is_right.
Print Assumptions accepted_is_right.
Check named_a_is_faulty.
Print Assumptions named_a_is_faulty.
Check named_b_is_faulty.
Print Assumptions named_b_is_faulty.
Check named_c_is_faulty.
Print Assumptions named_c_is_faulty.
Check named_d_is_faulty.
Print Assumptions named_d_is_faulty.
Check budget_stays.
Print Assumptions budget_stays.
Check settled.
Print Assumptions settled.
Check helpers_are_paid.
Print Assumptions helpers_are_paid.
Check one_round.
Print Assumptions one_round.
Check shares_list.
Print Assumptions shares_list.
Check shares_rebuild.
Print Assumptions shares_rebuild.
Check exact_decode.
Print Assumptions exact_decode.
Check b_plus_1_is_the_least.
Print Assumptions b_plus_1_is_the_least.
(* The checker *)
Check @refutes_sound.
Print Assumptions refutes_sound.
Check formula_sound.
Print Assumptions formula_sound.
Check enumerate_spec.
Print Assumptions enumerate_spec.
Check check_counts_sound.
Print Assumptions check_counts_sound.
Check @check_sound.
Print Assumptions check_sound.
(* distortion *)
Check distortion_formula_sound.
Print Assumptions distortion_formula_sound.
Check @check_distortion_sound.
Print Assumptions check_distortion_sound.
Check check_overturned_sound.
Print Assumptions check_overturned_sound.
(* domains.md *)
Check theorem_40.
Print Assumptions theorem_40.
Check theorem_40_missing.
Print Assumptions theorem_40_missing.
Check theorem_41_even.
Print Assumptions theorem_41_even.
Check theorem_41_odd.
Print Assumptions theorem_41_odd.
Check theorem_41_nobody.
Print Assumptions theorem_41_nobody.
Check theorem_43.
Print Assumptions theorem_43.
Check theorem_43_single.
Print Assumptions theorem_43_single.
Check workers_at_most.
Print Assumptions workers_at_most.
Check theorem_44.
Print Assumptions theorem_44.
Check @check_domains_sound.
Print Assumptions check_domains_sound.
Check check_domain_attack_sound.
Print Assumptions check_domain_attack_sound.
Check theorem_45.
Print Assumptions theorem_45.
(* the fewest ones *)
Check check_bound_sound.
Print Assumptions check_bound_sound.
(* errata.md: the paper's Theorem 1, in rational numbers *)
From Coq Require Import QArith.
Check theorem_1_of_the_paper_is_false.
Print Assumptions theorem_1_of_the_paper_is_false.
