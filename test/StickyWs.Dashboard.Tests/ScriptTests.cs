using System.Diagnostics;
using System.Text.RegularExpressions;
using StickyWs.TestKit;

namespace StickyWs.Dashboard.Tests;

/// <summary>The script of the package's page does what it says.</summary>
public sealed partial class ScriptTests : DashboardTest
{
    [Theory]
    [InlineData("exit 0", 0, "On")]
    [InlineData("exit 7", 7, "HandOff")]
    public async Task A_deploy_is_framed_by_a_drain_and_an_undrain(string deploy, int expected, string mode)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/curl"), "There is no curl.");
        var host = await StartAsync();
        var ends = (await OpenAsync(host, 3)).Select(SeeOutAsync).ToArray();
        var folder = Directory.CreateTempSubdirectory("stickyws");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "steer.sh"), Script());
            var step = Path.Combine(folder.FullName, "deploy.sh");
            await File.WriteAllTextAsync(step, $"#!/bin/sh\necho \"$1\" > deployed\n{deploy}\n");
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(step, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var start = new ProcessStartInfo("bash", ["steer.sh", "chat/a"]) { WorkingDirectory = folder.FullName, RedirectStandardOutput = true };
            start.Environment["BALANCER"] = $"http://127.0.0.1:{host.Address.Port}/stickyws";
            start.Environment["TOKEN"] = "a b"; // With a space, as "Bearer x" has one.
            using var process = Process.Start(start)!;
            await process.StandardOutput.ReadToEndAsync(Wait.Token());
            await process.WaitForExitAsync(Wait.Token());

            Assert.Equal((expected, "chat/a\n"), (process.ExitCode, await File.ReadAllTextAsync(Path.Combine(folder.FullName, "deployed"))));
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        await Task.WhenAll(ends).WaitAsync(Wait.Bound);
        Assert.Equal(mode, (string)(await host.GetAsync("state")).Body["pools"]![0]!["backends"]![0]!["mode"]!);
        Assert.Contains(host.Audit, line => line.Text.EndsWith(": empty", StringComparison.Ordinal));
    }

    private static string Script()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "StickyWs.sln"))) folder = folder.Parent;
        return Block().Match(File.ReadAllText(Path.Combine(folder.FullName, "src", "StickyWs.Dashboard", "README.md"))).Groups["script"].Value;
    }

    [GeneratedRegex(@"```bash\n(?<script>#!/usr/bin/env bash.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
