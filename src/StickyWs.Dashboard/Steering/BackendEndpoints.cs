using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using StickyWs.Dashboard.Answers;
using StickyWs.Dashboard.Reading;
using StickyWs.Draining;
using StickyWs.State;

namespace StickyWs.Dashboard.Steering;

/// <summary>Takes backends and pools out of service, brings them back, and waits until they are empty.</summary>
internal sealed class BackendEndpoints(IStickyWsState state, IBackendControl control, Audit audit, TimeProvider time, IHostApplicationLifetime lifetime)
{
    public Task BackendAsync(HttpContext context)
    {
        var (name, word) = Verbs.Split(RouteNames.Exact(context, "target", 0));
        return RunAsync(context, word, _ => BackendTarget.Of(RouteNames.Exact(context, "pool", 1), name));
    }

    public Task PoolAsync(HttpContext context)
    {
        var (name, word) = Verbs.Split(RouteNames.Exact(context, "target", 0));
        return RunAsync(context, word, _ => BackendTarget.Of(name));
    }

    // For names that no path can have, such as "..".
    public Task NamedAsync(HttpContext context)
        => RunAsync(context, context.GetRouteValue("action") as string ?? "",
            query => BackendTarget.Of(query.Text("pool") ?? throw query.Bad("pool", "say which"), query.Text("backend")), "pool", "backend");

    private async Task RunAsync(HttpContext context, string word, Func<Parameters, BackendTarget> find, params string[] names)
    {
        var target = "?";
        try
        {
            var verb = Verbs.Parse(word);
            var query = new Parameters(context.Request.Query, [.. names, .. DrainParameters.KnownOf(verb)]);
            var (backends, asked) = (find(query), new DrainParameters(query, verb));
            target = backends.ToString();
            CheckThatItIsThere(backends);
            TryOrder(backends, verb, asked);
            var left = control.Read(backends).Sum(drain => drain.Left);
            audit.Done(context, word, target, verb == Verb.Undrain ? "back in service" : $"in force, {left} tunnels are left");
            if (asked.IsWaiting && verb != Verb.Undrain) await WaitAsync(context, word, backends, asked.Timeout).ConfigureAwait(false);
            await AnswerAsync(context, word, backends).ConfigureAwait(false);
        }
        catch (ProblemException e)
        {
            if (e.Problem.Status is not (StatusCodes.Status504GatewayTimeout or StatusCodes.Status409Conflict or StatusCodes.Status503ServiceUnavailable))
                audit.Refused(context, word, target, e.Problem.Detail);
            throw;
        }
    }

    private void TryOrder(BackendTarget target, Verb verb, DrainParameters asked)
    {
        try
        {
            Order(target, verb, asked);
        }
        catch (ArgumentException e) when (e.ParamName == "settings")
        {
            throw new ProblemException(new Problem("urn:stickyws:bad-parameter", "Bad parameter", StatusCodes.Status400BadRequest,
                $"The parameters over, deadline, code and reason do not fit: {e.Message.Replace(" (Parameter 'settings')", "", StringComparison.Ordinal)}"));
        }
        catch (ArgumentException e) when (e.ParamName == "target")
        {
            throw new ProblemException(Problem.NotFound($"{target} was removed just now.", []));
        }
    }

    // What is in force already is not ordered again: every order leaves somebody behind who waits for its end.
    private void Order(BackendTarget target, Verb verb, DrainParameters asked)
    {
        if (verb == Verb.Undrain)
        {
            control.Undrain(target);
            return;
        }

        var mode = Verbs.ModeOf(verb);
        var isInForce = BackendsOf(target).All(backend => backend.Mode == mode) && control.Read(target).All(drain => drain.Mode == mode);
        if (isInForce && asked.Settings is null) return;
        using var end = new CancellationTokenSource();
        _ = verb switch
        {
            Verb.Stop => control.StopAsync(target, end.Token),
            Verb.HandOff => control.HandOffAsync(target, asked.Settings, end.Token),
            _ => control.CutAsync(target, end.Token),
        };
        end.Cancel();
    }

    private async Task WaitAsync(HttpContext context, string word, BackendTarget target, TimeSpan timeout)
    {
        using var over = new CancellationTokenSource(timeout, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(over.Token, context.RequestAborted, lifetime.ApplicationStopping);
        IReadOnlyList<DrainAnswer> ended;
        try
        {
            ended = [.. (await control.WhenEmptyAsync(target, end.Token).ConfigureAwait(false)).Select(Translation.ToAnswer)];
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            var left = LeftOf(target);
            var tunnels = left.Sum(drain => drain.Left);
            var cause = over.IsCancellationRequested ? $"not empty in time, {tunnels} tunnels are left"
                : context.RequestAborted.IsCancellationRequested ? "nobody waits any more; it goes on" : "the application is stopping";
            audit.Done(context, word, target.ToString(), cause);
            context.RequestAborted.ThrowIfCancellationRequested();
            throw new ProblemException(over.IsCancellationRequested
                ? Problem.NotEmpty($"After {timeout.TotalSeconds} s, {tunnels} tunnels and {left.Sum(drain => drain.Requests)} requests are left. "
                    + "The drain goes on: ask again to wait on.", left)
                : Problem.Busy("The application is stopping."));
        }

        var isUndrained = ended.Any(drain => drain.Outcome == DrainOutcome.Undrained);
        audit.Done(context, word, target.ToString(), isUndrained ? "cancelled by an undrain" : "empty");
        if (isUndrained) throw new ProblemException(Problem.Undrained("A backend was brought back into service meanwhile.", ended));
    }

    private Task AnswerAsync(HttpContext context, string word, BackendTarget target)
    {
        var drains = control.Read(target);
        var answer = new SteerAnswer(time.GetUtcNow(), word, target.ToString(), [.. drains.Select(Translation.ToAnswer)],
            [.. BackendsOf(target).Select(Translation.ToAnswer)]);
        var isUnderWay = drains.Any(drain => drain.Left > 0 || drain.Requests > 0);
        return context.WriteAnswerAsync(answer, AnswerContext.Default.SteerAnswer, isUnderWay ? StatusCodes.Status202Accepted : StatusCodes.Status200OK);
    }

    private DrainAnswer[] LeftOf(BackendTarget target)
        => [.. control.Read(target).Where(drain => drain.Outcome == DrainOutcome.Draining).Select(Translation.ToAnswer)];

    private IEnumerable<BackendStatus> BackendsOf(BackendTarget target) => state.Read().Pools.Where(pool => Is(pool.Name, target.Pool))
        .SelectMany(pool => pool.Backends).Where(backend => target.Backend is null || Is(backend.Name, target.Backend));

    private void CheckThatItIsThere(BackendTarget target)
    {
        if (BackendsOf(target).Any() || control.Read(target).Count > 0) return;
        var pool = state.Read().Pools.FirstOrDefault(pool => Is(pool.Name, target.Pool));
        throw new ProblemException(pool is null
            ? Problem.NotFound($"There is no pool '{Problem.Cut(target.Pool!)}'.", state.Read().Pools.Select(known => known.Name))
            : Problem.NotFound($"Pool '{pool.Name}' has no backend '{Problem.Cut(target.Backend ?? "")}'.", pool.Backends.Select(known => known.Name)));
    }

    private static bool Is(string name, string? wanted) => name.Equals(wanted, StringComparison.OrdinalIgnoreCase);
}
