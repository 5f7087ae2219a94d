using System.Diagnostics;
using System.Globalization;

namespace StickyWs.Benchmarks.Balancers;

/// <summary>A process on one core (where <c>taskset</c> is at hand) that ends when this one does, however that ends.</summary>
internal sealed class Child : IDisposable
{
    // Both lift the limit of open files. The first is then replaced, so that its process id is the child's.
    private const string Become = "ulimit -n \"$(ulimit -Hn)\"; exec \"$@\"";

    // The second stays, says the child's process id, and when its own standard input ends, ends the child and removes its folder ($0): programs that
    // are not ours do not watch theirs.
    private const string Watch = "trap '' INT; ulimit -n \"$(ulimit -Hn)\"; \"$@\" </dev/null >/dev/null & echo $!; cat >/dev/null; kill $!; wait; "
        + "rm -rf \"$0\"";

    private static readonly string? TaskSet = Programs.Find("taskset");

    private readonly Process _process;

    private Child(Process process, string greeting)
    {
        _process = process;
        Greeting = greeting;
    }

    /// <summary>Whether children are bound to cores.</summary>
    public static bool IsPinning => TaskSet is not null && Environment.ProcessorCount > 1;

    public int Id => _process.Id;

    /// <summary>The first line that came; a server's is its port, a watched program's its process id.</summary>
    public string Greeting { get; }

    /// <summary>This program once more, as one of the two ends: compiled at once and for good, for they are not what is measured.</summary>
    public static Task<Child> StartEndAsync(params string[] role) => StartAsync(Become, 0, [Environment.ProcessPath!, .. role], isTiered: false);

    /// <summary>This program once more, as a balancer.</summary>
    public static Task<Child> StartBalancerAsync(params string[] role) => StartAsync(Become, 1, [Environment.ProcessPath!, .. role]);

    /// <summary>Another program, as a balancer, with a folder that goes when it goes.</summary>
    public static Task<Child> StartWatchedAsync(string folder, params string[] command) => StartAsync(Watch, 1, command, name: folder);

    public async Task<string> AskAsync(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        await _process.StandardInput.FlushAsync();
        return await ReadLineAsync(_process);
    }

    /// <summary>Ends it as a crash does: the kernel closes what it had open.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(10))) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private static async Task<Child> StartAsync(string script, int core, string[] command, string name = "sh", bool isTiered = true)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", script, name]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        string[] pinning = IsPinning ? [TaskSet!, "-c", core.ToString(CultureInfo.InvariantCulture)] : [];
        foreach (var argument in (string[])[.. pinning, .. command]) start.ArgumentList.Add(argument);
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment["DOTNET_gcConcurrent"] = "0";
        if (!isTiered) start.Environment["DOTNET_TieredCompilation"] = "0";
        var process = Process.Start(start)!;
        return new Child(process, await ReadLineAsync(process));
    }

    private static async Task<string> ReadLineAsync(Process process)
        => await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(2))
            ?? throw new InvalidOperationException("A child process ended early; its standard error says why.");
}
