using System.Diagnostics;
using System.Globalization;

namespace StickyWs.Benchmarks.Tunnels;

/// <summary>This program once more, in another role, on one core where <c>taskset</c> is at hand.</summary>
internal sealed class Child : IDisposable
{
    private static readonly string? TaskSet = new[] { "/usr/bin/taskset", "/bin/taskset" }.FirstOrDefault(File.Exists);

    private readonly Process _process;

    private Child(Process process, string greeting)
    {
        _process = process;
        Greeting = greeting;
    }

    /// <summary>Whether children are bound to cores.</summary>
    public static bool IsPinning => TaskSet is not null && Environment.ProcessorCount > 1;

    /// <summary>The first line that the child said; a server's is its port.</summary>
    public string Greeting { get; }

    public static async Task<Child> StartAsync(int core, params string[] role)
    {
        // The shell lifts the limit of open files and is then replaced, so that its process id is the child's.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$@\"", "sh"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        string[] pinning = IsPinning ? [TaskSet!, "-c", core.ToString(CultureInfo.InvariantCulture)] : [];
        foreach (var argument in (string[])[.. pinning, Environment.ProcessPath!, .. role]) start.ArgumentList.Add(argument);
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment["DOTNET_gcConcurrent"] = "0";
        var process = Process.Start(start)!;
        return new Child(process, await ReadLineAsync(process));
    }

    public async Task<string> AskAsync(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        await _process.StandardInput.FlushAsync();
        return await ReadLineAsync(_process);
    }

    public async Task<long> AskNumberAsync(string command) => long.Parse(await AskAsync(command), CultureInfo.InvariantCulture);

    /// <summary>User and system time so far, in microseconds (proc_pid_stat(5), fields 14 and 15, in ticks of 10 ms).</summary>
    public (double User, double System) CpuTime()
    {
        var stat = File.ReadAllText($"/proc/{_process.Id}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (10_000 * double.Parse(fields[11], CultureInfo.InvariantCulture), 10_000 * double.Parse(fields[12], CultureInfo.InvariantCulture));
    }

    /// <summary>Resident memory that no file backs, in bytes (<c>RssAnon</c> of proc_pid_status(5)).</summary>
    public long AnonymousMemory()
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(5))) _process.Kill();
        _process.Dispose();
    }

    private static async Task<string> ReadLineAsync(Process process)
        => await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1))
            ?? throw new InvalidOperationException("A child process ended early; its standard error says why.");
}
