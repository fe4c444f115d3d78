// What ThreadSanitizer cannot see: the atomic reference counts of exceptions inside libstdc++, which is not
// instrumented, and the acquire fence with which Asio's type-erased executors drop their last reference (gcc's
// -Wtsan: fences are not supported). It takes the last owner's release for a race.
#if defined(__SANITIZE_THREAD__)
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:std::__exception_ptr::exception_ptr::_M_release\n"
         "race:__cxa_end_catch\n"
         "race:boost::asio::execution::detail::shared_target_executor\n"
         "race:ragstone::detail::HttpDriver::Socket::inode\n";
}
#endif
