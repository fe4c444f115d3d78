#include "text/abbreviations.hpp"

#include <algorithm>
#include <array>

namespace ragstone::detail {
namespace {

using namespace std::string_view_literals;

constexpr std::array kAlways{"adm"sv, "al"sv,   "approx"sv, "bros"sv, "capt"sv,   "cf"sv,   "cmdr"sv, "col"sv,
                             "cpl"sv, "dr"sv,   "drs"sv,    "e.g"sv,  "esp"sv,    "gen"sv,  "gov"sv,  "hon"sv,
                             "i.e"sv, "incl"sv, "lt"sv,     "maj"sv,  "messrs"sv, "mlle"sv, "mme"sv,  "mr"sv,
                             "mrs"sv, "ms"sv,   "mt"sv,     "prof"sv, "rep"sv,    "resp"sv, "rev"sv,  "sen"sv,
                             "sgt"sv, "st"sv,   "supt"sv,   "viz"sv,  "vs"sv};

constexpr std::array kBeforeDigit{"apr"sv,  "art"sv, "aug"sv,  "c"sv,    "ca"sv,   "ch"sv,  "chap"sv, "dec"sv,  "eq"sv,
                                  "eqs"sv,  "feb"sv, "fig"sv,  "figs"sv, "jan"sv,  "jul"sv, "jun"sv,  "mar"sv,  "no"sv,
                                  "nos"sv,  "nov"sv, "oct"sv,  "p"sv,    "para"sv, "pp"sv,  "ref"sv,  "refs"sv, "sec"sv,
                                  "sect"sv, "sep"sv, "sept"sv, "tab"sv,  "v"sv,    "ver"sv, "vol"sv,  "vols"sv};

bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }

bool equals_lower(std::string_view word, std::string_view lower) noexcept {
  return std::equal(word.begin(), word.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (is_upper(a) ? a - 'A' + 'a' : a) == b; });
}

// "J", "U.S", "Ph.D": single capitals, or short parts between stops that end with one. "I" is a word.
bool is_initials(std::string_view word) noexcept {
  if (word.empty() || !is_upper(word.back())) return false;
  if (word.size() == 1) return word != "I";
  return word[word.size() - 2] == '.';
}

}  // namespace

bool is_abbreviation(std::string_view word, bool before_digit) noexcept {
  if (is_initials(word)) return true;
  const auto same = [&](std::string_view known) { return equals_lower(word, known); };
  return std::any_of(kAlways.begin(), kAlways.end(), same) ||
         (before_digit && std::any_of(kBeforeDigit.begin(), kBeforeDigit.end(), same));
}

}  // namespace ragstone::detail
