using System.Diagnostics;
using System.Text;

namespace StickyWs.TestKit;

/// <summary><see cref="TestBalancer"/> as a process of its own, for what changes a whole process. It listens on a free port of the loopback and logs to its output.</summary>
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

    /// <param name="isUringRefused">Whether the kernel refuses io_uring to the process.</param>
    /// <param name="settings">Of the section <c>StickyWs</c>, each as <c>key=value</c>.</param>
    public static BalancerProcess Start(bool isUringRefused, params string[] settings)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments = ["exec", typeof(TestBalancer).Assembly.Location, "--urls", "http://127.0.0.1:0", .. settings.Select(setting => "--StickyWs:" + setting)];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        if (isUringRefused) start.Environment[TestBalancer.RefusesUring] = "1";
        return new BalancerProcess(Process.Start(start)!);
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

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_output) _output.Append(line.Data).Append('\n');
    }
}
