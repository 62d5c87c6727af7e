/** Seconds as people read them: `12.3 s`, from two minutes on `2 min 5 s`, from an hour on `1 h 2 min 5 s`. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return `${hours > 0 ? `${hours} h ` : ''}${minutes} min ${whole % 60} s`;
}

/** The same in whole seconds, for what is shown again and again. */
export function wholeDuration(seconds: number): string {
  return seconds < 120 ? `${Math.round(seconds)} s` : duration(seconds);
}
