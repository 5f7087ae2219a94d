using System.Diagnostics;
using System.Net.Http.Json;

namespace StickyWs.Examples.RollingDeploy;

/// <summary>A backend in a process of its own.</summary>
internal sealed class BackendProcess : IAsyncDisposable
{
    private readonly Process _process;

    private BackendProcess(Process process, string name, string address) => (_process, Name, Address) = (process, name, address);

    public string Name { get; }

    public string Address { get; }

    public static async Task<BackendProcess> StartAsync(string name)
    {
        // This program again: by its own executable, or by "dotnet" with its assembly.
        var executable = Environment.ProcessPath!;
        var isHost = Path.GetFileNameWithoutExtension(executable).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
        string[] arguments = isHost ? [typeof(BackendProcess).Assembly.Location, "backend"] : ["backend"];
        var start = new ProcessStartInfo(executable, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        var process = Process.Start(start)!;
        var address = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"The backend {name} did not start.");
        return new BackendProcess(process, name, address);
    }

    public async Task<Dictionary<string, int[]>> ReadReceivedAsync()
    {
        using var client = new HttpClient();
        return (await client.GetFromJsonAsync<Dictionary<string, int[]>>($"{Address}/received"))!;
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
