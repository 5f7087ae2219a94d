using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace StickyWs.TestKit;

/// <summary>
/// <see cref="TestBalancer"/> as a process of its own, for what changes a whole process. It listens on a free port of the loopback and logs to its
/// output.
/// </summary>
public sealed class BalancerProcess : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private BalancerProcess(Process process)
    {
        _process = process;
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>All that it has said so far.</summary>
    public string Output
    {
        get
        {
            lock (_output) return _output.ToString();
        }
    }

    /// <summary>Descriptors that it has open.</summary>
    public int Descriptors => Directory.GetFileSystemEntries($"/proc/{_process.Id}/fd").Length;

    /// <summary>Pipes of which it has an end.</summary>
    public int Pipes => Directory.GetFileSystemEntries($"/proc/{_process.Id}/fd").Select(LinkOf)
        .Where(target => target?.StartsWith("pipe:", StringComparison.Ordinal) == true).Distinct().Count();

    public bool HasExited => _process.HasExited;

    /// <summary>What the process may have open at once (<c>RLIMIT_NOFILE</c>), as the kernel says.</summary>
    public int Limit => int.Parse(
        File.ReadLines($"/proc/{_process.Id}/limits").Single(line => line.StartsWith("Max open files", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[3], CultureInfo.InvariantCulture);

    /// <param name="softLimit">How many descriptors it may have at first (<c>ulimit -Sn</c>).</param>
    /// <param name="hardLimit">To how many it may raise that (<c>ulimit -Hn</c>).</param>
    /// <param name="arguments">Of its command line.</param>
    public static BalancerProcess StartWithin(int softLimit, int hardLimit, params string[] arguments)
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] all =
            ["-c", string.Create(CultureInfo.InvariantCulture, $"ulimit -Sn {softLimit} && ulimit -Hn {hardLimit} && exec dotnet exec \"$@\""), "sh",
                typeof(TestBalancer).Assembly.Location, .. arguments];
        foreach (var argument in all) start.ArgumentList.Add(argument);
        return new BalancerProcess(Process.Start(start)!);
    }

    /// <param name="refused">What the kernel refuses to the process.</param>
    /// <param name="settings">Of the section <c>StickyWs</c>, each as <c>key=value</c>.</param>
    public static BalancerProcess Start(Refused refused, params string[] settings)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments = ["exec", typeof(TestBalancer).Assembly.Location, "--urls", "http://127.0.0.1:0",
            .. settings.Select(setting => "--StickyWs:" + setting)];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment[TestBalancer.Refuses] = refused.ToString();
        return new BalancerProcess(Process.Start(start)!);
    }

    /// <summary>Sends it a signal, as <c>kill</c> does.</summary>
    /// <param name="signal">Its name, without SIG.</param>
    public void Send(string signal)
    {
        var start = new ProcessStartInfo("/bin/sh");
        foreach (var argument in new[] { "-c", string.Create(CultureInfo.InvariantCulture, $"kill -{signal} {_process.Id}") }) start.ArgumentList.Add(argument);
        using var kill = Process.Start(start)!;
        kill.WaitForExit();
    }

    /// <summary>Waits until it listens: where.</summary>
    public async Task<Uri> ListensAsync()
    {
        const string words = "Now listening on: ";
        await Wait.UntilAsync(() => _process.HasExited || Output.Contains(words, StringComparison.Ordinal));
        var output = Output;
        var at = output.IndexOf(words, StringComparison.Ordinal);
        if (at < 0) throw new InvalidOperationException("It did not start: " + output);
        return new Uri(output[(at + words.Length)..].Split('\n')[0].Trim());
    }

    /// <summary>Waits until it has ended by itself: its exit code.</summary>
    public async Task<int> EndsAsync()
    {
        await _process.WaitForExitAsync(Wait.Token());
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    // Null of one that was closed meanwhile.
    private static string? LinkOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_output) _output.Append(line.Data).Append('\n');
    }
}
