const CHECK_EVERY_MS = 300;

/**
 * Makes every Node process that this one starts from now on end soon after this one is gone, even by `kill -9`, when no
 * handler of ours can run. The programs themselves know nothing of it.
 */
export function letChildrenDieWithThisProcess(): void {
  const watch = `setInterval(()=>process.ppid===${process.pid}||process.exit(1),${CHECK_EVERY_MS}).unref()`;
  const preload = `--import=data:text/javascript,${encodeURIComponent(watch)}`;
  process.env['NODE_OPTIONS'] = [process.env['NODE_OPTIONS'], preload].filter(Boolean).join(' ');
}
