/** Whether a program that Debian's `debianPackage` brings is here; says so once if not. Runs it with `args`. */
export async function isInstalled(
  program: string,
  args: readonly string[],
  debianPackage: string,
): Promise<boolean> {
  try {
    await new Deno.Command(program, { args: [...args], stdin: "null", stdout: "null", stderr: "null" })
      .output();
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log(
      `${program} is not installed (Debian: ${debianPackage}): the tests that need it are left out`,
    );
    return false;
  }
}
